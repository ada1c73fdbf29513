# nke_add_kext(NAME SOURCE... [ID identifier] [VERSION version] [PLIST file] [OUTPUT_DIRECTORY folder]
#              [START function] [STOP function] [DEFINES NAME=value...] [FLAGS flag...])
#
# Builds NAME.kext from C and C++ sources with `nke build`, as part of `all`, into OUTPUT_DIRECTORY
# (default: the current binary folder). A SOURCE may be a folder: all that is in it. The target NAME has the
# property NKE_KEXT, the bundle's path.
# Used by the examples and tests of libnke itself and, through find_package(nke), by anybody.

if(NOT DEFINED NKE_PACKAGE AND NOT EXISTS ${CMAKE_BINARY_DIR}/Kernel)
	# the tool finds the headers beside itself
	file(CREATE_LINK ${CMAKE_SOURCE_DIR}/include/Kernel ${CMAKE_BINARY_DIR}/Kernel SYMBOLIC)
endif()

function(nke_add_kext name)
	cmake_parse_arguments(PARSE_ARGV 1 KEXT "" "ID;VERSION;PLIST;OUTPUT_DIRECTORY;START;STOP"
		"DEFINES;FLAGS")
	if(NOT KEXT_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "nke_add_kext(${name}): which sources?")
	endif()
	if(NOT KEXT_OUTPUT_DIRECTORY)
		set(KEXT_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
	endif()
	set(sources "")
	set(files "")
	foreach(source ${KEXT_UNPARSED_ARGUMENTS})
		get_filename_component(source ${source} ABSOLUTE)
		list(APPEND sources ${source})
		if(IS_DIRECTORY ${source})
			file(GLOB_RECURSE inside CONFIGURE_DEPENDS ${source}/*)
			list(APPEND files ${inside})
		else()
			list(APPEND files ${source})
		endif()
	endforeach()
	set(options "")
	if(KEXT_PLIST)
		get_filename_component(KEXT_PLIST ${KEXT_PLIST} ABSOLUTE)
	endif()
	foreach(option ID VERSION PLIST START STOP)
		if(KEXT_${option})
			string(TOLOWER ${option} word)
			list(APPEND options --${word} ${KEXT_${option}})
		endif()
	endforeach()
	foreach(define ${KEXT_DEFINES})
		list(APPEND options --define ${define})
	endforeach()
	if(TARGET nke_tool)
		set(tool $<TARGET_FILE:nke_tool>)
		set(depends nke_tool)
	else()
		set(tool $<TARGET_FILE:nke::tool>)
		set(depends "")
	endif()
	set(bundle ${KEXT_OUTPUT_DIRECTORY}/${name}.kext)
	# headers are not tracked by the tool: a changed one outside a folder that is given needs a clean build
	add_custom_command(OUTPUT ${bundle}/Contents/Info.plist
		COMMAND ${CMAKE_COMMAND} -E make_directory ${KEXT_OUTPUT_DIRECTORY}
		COMMAND ${CMAKE_COMMAND} -E env CC=${CMAKE_C_COMPILER} CXX=${CMAKE_CXX_COMPILER}
			${tool} build ${sources} -o ${bundle} ${options} -- ${KEXT_FLAGS}
		DEPENDS ${files} ${KEXT_PLIST} ${depends}
		COMMENT "Building kext ${name}.kext" VERBATIM)
	add_custom_target(${name} ALL DEPENDS ${bundle}/Contents/Info.plist)
	set_target_properties(${name} PROPERTIES NKE_KEXT ${bundle})
endfunction()

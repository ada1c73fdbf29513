# What `cmake --install` puts where:
#
#	bin/nke                         the tool
#	lib/libnke.so, libnke.a         the library
#	include/nke/*.h                 the host API
#	include/nke/Kernel              the headers kexts include
#	lib/cmake/nke                   find_package(nke): nke::nke, nke::nke_static, nke_add_kext()
#	lib/pkgconfig/nke.pc            for harnesses
#	lib/pkgconfig/nke-kext.pc       for kexts that are built without `nke build`
#	share/man/man1                  manual pages

include(CMakePackageConfigHelpers)

if(TARGET nke_tool)
	target_compile_definitions(nke_tool PRIVATE
		NKE_INSTALL_KERNEL_INCLUDE="${CMAKE_INSTALL_FULL_INCLUDEDIR}/nke/Kernel")
	set_target_properties(nke_tool PROPERTIES EXPORT_NAME tool)
	set(nke_tools nke_tool)
endif()
set_target_properties(nke_static PROPERTIES EXPORT_NAME nke_static)

install(TARGETS nke nke_static ${nke_tools} EXPORT nke
	RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
	LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
	ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/nke/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/nke FILES_MATCHING PATTERN "*.h")
install(DIRECTORY include/Kernel DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/nke FILES_MATCHING PATTERN "*.h")
file(GLOB nke_manuals docs/man/*.1)
install(FILES ${nke_manuals} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# ---- CMake package --------------------------------------------------------------------------------
set(nke_package ${CMAKE_INSTALL_LIBDIR}/cmake/nke)
install(EXPORT nke NAMESPACE nke:: DESTINATION ${nke_package} FILE nkeTargets.cmake)
file(WRITE ${CMAKE_BINARY_DIR}/nkeConfig.cmake "\
set(NKE_PACKAGE TRUE)
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(PkgConfig)
# the archive needs what the shared library has linked in already
pkg_check_modules(PCAP QUIET IMPORTED_TARGET libpcap)
pkg_check_modules(PLIST QUIET IMPORTED_TARGET libplist-2.0)
pkg_check_modules(JANSSON QUIET IMPORTED_TARGET jansson)
pkg_check_modules(EVENT QUIET IMPORTED_TARGET libevent_core)
include(\${CMAKE_CURRENT_LIST_DIR}/nkeTargets.cmake)
include(\${CMAKE_CURRENT_LIST_DIR}/nke_add_kext.cmake)
")
write_basic_package_version_file(${CMAKE_BINARY_DIR}/nkeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/nkeConfig.cmake ${CMAKE_BINARY_DIR}/nkeConfigVersion.cmake
	cmake/nke_add_kext.cmake DESTINATION ${nke_package})

# ---- pkg-config -----------------------------------------------------------------------------------
# relative to the .pc file, so that an installed tree can be moved
file(RELATIVE_PATH nke_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" nke_prefix "${nke_prefix}")
file(WRITE ${CMAKE_BINARY_DIR}/nke.pc "\
prefix=\${pcfiledir}/${nke_prefix}
libdir=\${prefix}/${CMAKE_INSTALL_LIBDIR}
includedir=\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}

Name: nke
Description: ${PROJECT_DESCRIPTION}: for test harnesses and tools
Version: ${PROJECT_VERSION}
Requires.private: libpcap libplist-2.0 jansson libevent_core
Libs: -L\${libdir} -lnke
Libs.private: -pthread -ldl
Cflags: -I\${includedir}
")
file(WRITE ${CMAKE_BINARY_DIR}/nke-kext.pc "\
prefix=\${pcfiledir}/${nke_prefix}
kernel=\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}/nke/Kernel

Name: nke-kext
Description: ${PROJECT_DESCRIPTION}: for kexts, as C, without 'nke build'
Version: ${PROJECT_VERSION}
Libs: -shared -nostdlib -Wl,-Bsymbolic -Wl,-z,now
Cflags: -ffreestanding -fno-builtin -nostdinc -fPIC -fno-stack-protector -fno-strict-aliasing -fno-omit-frame-pointer -fno-optimize-sibling-calls -U__linux__ -U__linux -Ulinux -U__gnu_linux__ -U__unix__ -U__unix -Uunix -U__ELF__ -D__APPLE__=1 -D__MACH__=1 -D__APPLE_CC__=6000 -D__STATIC__=1 -D__LITTLE_ENDIAN__=1 -DKERNEL=1 -DAPPLE=1 -DNeXT=1 -isystem \${kernel}
")
install(FILES ${CMAKE_BINARY_DIR}/nke.pc ${CMAKE_BINARY_DIR}/nke-kext.pc
	DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

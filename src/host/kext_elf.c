/*
 * ELF64 shared objects as files: dynamic symbols, constructors, and the few changes that the loader
 * makes before it maps a copy. The file is input like any other: nothing in it is believed unchecked.
 */
#include <errno.h>
#include <string.h>

#include "src/host/kext_bundle.h"
#include "src/host/kext_elf.h"

#define IMAGE_MAX	((size_t)256 << 20)

#if defined(__x86_64__)
#define HOST_MACHINE	EM_X86_64
#elif defined(__aarch64__)
#define HOST_MACHINE	EM_AARCH64
#elif defined(__riscv)
#define HOST_MACHINE	EM_RISCV
#else
#error "tell kext_elf.c what this machine is called in ELF"
#endif
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_DATA	ELFDATA2LSB
#else
#define HOST_DATA	ELFDATA2MSB
#endif

static int
malformed(const struct elf_file *f, struct kext_text *text, const char *what)
{
	return text_fail(text, EINVAL, "%s: damaged shared object: %s\n", f->path, what);
}

/* ---- bytes -------------------------------------------------------------------------------- */

static bool
inside(const struct elf_file *f, uint64_t off, uint64_t size)
{
	return off <= f->size && size <= f->size - off;
}

static bool
get(const struct elf_file *f, uint64_t off, void *out, size_t size)
{
	if (!inside(f, off, size))
		return false;
	memcpy(out, f->bytes + off, size);
	return true;
}

static void
put(struct elf_file *f, uint64_t off, const void *in, size_t size)
{
	memcpy(f->bytes + off, in, size);
}

static bool
program_header(const struct elf_file *f, unsigned i, Elf64_Phdr *ph)
{
	Elf64_Ehdr eh;

	return get(f, 0, &eh, sizeof eh) && i < eh.e_phnum &&
	    get(f, eh.e_phoff + (uint64_t)i * sizeof *ph, ph, sizeof *ph);
}

/* Where in the file the image's `size` bytes at `address` are; false when nowhere. */
static bool
file_offset(const struct elf_file *f, uint64_t address, uint64_t size, uint64_t *off)
{
	Elf64_Phdr ph;

	for (unsigned i = 0; program_header(f, i, &ph); i++) {
		if (ph.p_type != PT_LOAD || address < ph.p_vaddr || address - ph.p_vaddr > ph.p_filesz ||
		    size > ph.p_filesz - (address - ph.p_vaddr))
			continue;
		*off = ph.p_offset + (address - ph.p_vaddr);
		return *off >= ph.p_offset && inside(f, *off, size);
	}
	return false;
}

bool
elf_data(const struct elf_file *f, uint64_t address, void *buf, size_t size)
{
	uint64_t off;

	return file_offset(f, address, size, &off) && get(f, off, buf, size);
}

/* ---- header ------------------------------------------------------------------------------- */

/* What a file is that is no ELF image, for the message. */
static const char *
foreign_kind(const struct elf_file *f)
{
	static const struct {
		unsigned char magic[4];
		const char *kind;
	} kinds[] = {
		{{0xcf, 0xfa, 0xed, 0xfe}, "a Mach-O image, built for a Mac"},
		{{0xce, 0xfa, 0xed, 0xfe}, "a 32-bit Mach-O image, built for a Mac"},
		{{0xfe, 0xed, 0xfa, 0xce}, "a Mach-O image, built for a PowerPC Mac"},
		{{0xca, 0xfe, 0xba, 0xbe}, "a universal Mach-O image, built for a Mac"},
		{{'!', '<', 'a', 'r'}, "an archive"},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (f->size >= 4 && memcmp(f->bytes, kinds[i].magic, 4) == 0)
			return kinds[i].kind;
	}
	return NULL;
}

static int
check_header(const struct elf_file *f, struct kext_text *text)
{
	const char *kind = foreign_kind(f);
	Elf64_Ehdr eh;

	if (kind != NULL)
		return text_fail(text, ENOEXEC, "%s: this is %s; expected a shared object for this "
		    "system: build the source with 'nke build'\n", f->path, kind);
	if (!get(f, 0, &eh, sizeof eh) || memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0)
		return text_fail(text, EINVAL, "%s: not a shared object; expected what 'nke build' makes\n",
		    f->path);
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != HOST_DATA ||
	    eh.e_machine != HOST_MACHINE)
		return text_fail(text, ENOEXEC, "%s: built for another machine (ELF class %u, data %u, "
		    "machine %u); expected class %u, data %u, machine %u: build it here with 'nke "
		    "build'\n", f->path, eh.e_ident[EI_CLASS], eh.e_ident[EI_DATA], eh.e_machine,
		    ELFCLASS64, HOST_DATA, HOST_MACHINE);
	if (eh.e_type != ET_DYN)
		return text_fail(text, ENOEXEC, "%s: an ELF %s; expected a shared object\n", f->path,
		    eh.e_type == ET_REL ? "object file that is not linked" : "file of another type");
	if (eh.e_phentsize != sizeof(Elf64_Phdr))
		return malformed(f, text, "size of program headers");
	return 0;
}

/* ---- dynamic section ---------------------------------------------------------------------- */

struct dynamic {
	uint64_t symtab, strtab, strsz, gnu_hash, hash;
	uint64_t init_size, fini_size;
	uint64_t rela, jmprel;
	bool host_arrays;		/* the host's loader would run constructors or destructors */
	bool symbolic;
};

static void
note_entry(struct elf_file *f, struct dynamic *d, const Elf64_Dyn *e)
{
	switch (e->d_tag) {
	case DT_SYMTAB:
		d->symtab = e->d_un.d_ptr;
		break;
	case DT_STRTAB:
		d->strtab = e->d_un.d_ptr;
		break;
	case DT_STRSZ:
		d->strsz = e->d_un.d_val;
		break;
	case DT_GNU_HASH:
		d->gnu_hash = e->d_un.d_ptr;
		break;
	case DT_HASH:
		d->hash = e->d_un.d_ptr;
		break;
	case DT_RELA:
		d->rela = e->d_un.d_ptr;
		break;
	case DT_RELASZ:
		f->rela_size = e->d_un.d_val;
		break;
	case DT_JMPREL:
		d->jmprel = e->d_un.d_ptr;
		break;
	case DT_PLTRELSZ:
		f->plt_size = e->d_un.d_val;
		break;
	case DT_SYMBOLIC:
		d->symbolic = true;
		break;
	case DT_FLAGS:
		d->symbolic = d->symbolic || (e->d_un.d_val & DF_SYMBOLIC) != 0;
		break;
	case DT_INIT_ARRAY:
	case DT_NKE_INIT_ARRAY:
		f->init_array = e->d_un.d_ptr;
		d->host_arrays = d->host_arrays || e->d_tag == DT_INIT_ARRAY;
		break;
	case DT_INIT_ARRAYSZ:
	case DT_NKE_INIT_ARRAYSZ:
		f->init_count = e->d_un.d_val / sizeof(uint64_t);
		break;
	case DT_FINI_ARRAY:
	case DT_NKE_FINI_ARRAY:
		f->fini_array = e->d_un.d_ptr;
		d->host_arrays = d->host_arrays || e->d_tag == DT_FINI_ARRAY;
		break;
	case DT_FINI_ARRAYSZ:
	case DT_NKE_FINI_ARRAYSZ:
		f->fini_count = e->d_un.d_val / sizeof(uint64_t);
		break;
	default:
		break;
	}
}

static int
read_dynamic(struct elf_file *f, struct dynamic *d, struct kext_text *text)
{
	Elf64_Phdr ph;
	Elf64_Dyn e;

	memset(d, 0, sizeof *d);
	for (unsigned i = 0; program_header(f, i, &ph); i++) {
		if (ph.p_type == PT_LOAD && ph.p_vaddr + ph.p_memsz > f->memory_size)
			f->memory_size = ph.p_vaddr + ph.p_memsz;
		if (ph.p_type != PT_DYNAMIC)
			continue;
		f->dynamic_off = ph.p_offset;
		f->dynamic_count = ph.p_filesz / sizeof e;
	}
	if (f->dynamic_count == 0 || !inside(f, f->dynamic_off, f->dynamic_count * sizeof e))
		return malformed(f, text, "no dynamic section");
	for (uint64_t i = 0; i < f->dynamic_count &&
	    get(f, f->dynamic_off + i * sizeof e, &e, sizeof e); i++) {
		if (e.d_tag == DT_NULL) {
			f->dynamic_count = i + 1;	/* what follows is spare room */
			break;
		}
		note_entry(f, d, &e);
	}
	if ((f->rela_size != 0 && !file_offset(f, d->rela, f->rela_size, &f->rela_off)) ||
	    (f->plt_size != 0 && !file_offset(f, d->jmprel, f->plt_size, &f->plt_off)))
		return malformed(f, text, "relocations outside the file");
	f->sealed = d->symbolic && !d->host_arrays;
	return 0;
}

/* ---- symbols ------------------------------------------------------------------------------ */

/* The GNU hash table does not say how many symbols there are; its last chain ends at the last one. */
static uint64_t
count_by_gnu_hash(const struct elf_file *f, uint64_t address)
{
	uint32_t head[4], last = 0, word;	/* buckets, first symbol, bloom words, shift */
	uint64_t off;

	if (!file_offset(f, address, sizeof head, &off) || !get(f, off, head, sizeof head))
		return 0;
	off += sizeof head + (uint64_t)head[2] * sizeof(uint64_t);
	for (uint32_t i = 0; i < head[0]; i++) {
		if (!get(f, off + (uint64_t)i * sizeof word, &word, sizeof word))
			return 0;
		last = word > last ? word : last;
	}
	if (last < head[1])
		return head[1];
	off += (uint64_t)head[0] * sizeof word;
	for (;; last++) {
		if (!get(f, off + (uint64_t)(last - head[1]) * sizeof word, &word, sizeof word))
			return 0;
		if (word & 1)
			return (uint64_t)last + 1;
	}
}

static uint64_t
count_by_sections(const struct elf_file *f)
{
	Elf64_Ehdr eh;
	Elf64_Shdr sh;

	if (!get(f, 0, &eh, sizeof eh) || eh.e_shoff == 0 || eh.e_shentsize != sizeof sh)
		return 0;
	for (unsigned i = 0; i < eh.e_shnum; i++) {
		if (!get(f, eh.e_shoff + (uint64_t)i * sizeof sh, &sh, sizeof sh))
			return 0;
		if (sh.sh_type == SHT_DYNSYM)
			return sh.sh_size / sizeof(Elf64_Sym);
	}
	return 0;
}

static uint64_t
count_symbols(const struct elf_file *f, const struct dynamic *d)
{
	uint64_t n = count_by_sections(f), off;
	uint32_t head[2];		/* buckets, chains: one chain per symbol */

	if (n == 0 && d->hash != 0 && file_offset(f, d->hash, sizeof head, &off) &&
	    get(f, off, head, sizeof head))
		n = head[1];
	if (n == 0 && d->gnu_hash != 0)
		n = count_by_gnu_hash(f, d->gnu_hash);
	return n;
}

static int
read_symbols(struct elf_file *f, const struct dynamic *d, struct kext_text *text)
{
	uint64_t count = count_symbols(f, d), strings;

	if (count <= 1)
		return 0;
	if (count > f->size / sizeof(Elf64_Sym) ||
	    !file_offset(f, d->symtab, count * sizeof(Elf64_Sym), &f->symtab_off))
		return malformed(f, text, "symbol table outside the file");
	if (d->strsz == 0 || !file_offset(f, d->strtab, d->strsz, &strings) ||
	    f->bytes[strings + d->strsz - 1] != '\0')
		return malformed(f, text, "symbol names outside the file or unterminated");
	f->symbols = calloc(count, sizeof f->symbols[0]);
	if (f->symbols == NULL)
		return text_fail(text, ENOMEM, "%s: no memory\n", f->path);
	for (uint64_t i = 1; i < count; i++) {
		struct elf_symbol *s = &f->symbols[f->symbol_count];
		Elf64_Sym sym;

		if (!get(f, f->symtab_off + i * sizeof sym, &sym, sizeof sym) || sym.st_name >= d->strsz)
			return malformed(f, text, "a symbol's name is outside the table of names");
		if (ELF64_ST_BIND(sym.st_info) == STB_LOCAL || f->bytes[strings + sym.st_name] == '\0')
			continue;
		*s = (struct elf_symbol){
			.name = f->bytes + strings + sym.st_name, .value = sym.st_value,
			.defined = sym.st_shndx != SHN_UNDEF,
			.weak = ELF64_ST_BIND(sym.st_info) == STB_WEAK,
			.function = ELF64_ST_TYPE(sym.st_info) == STT_FUNC, .index = (uint32_t)i,
		};
		f->symbol_count++;
	}
	return 0;
}

/* ---- functions, for backtraces --------------------------------------------------------------- */

static bool
section_header(const struct elf_file *f, unsigned i, Elf64_Shdr *sh)
{
	Elf64_Ehdr eh;

	return get(f, 0, &eh, sizeof eh) && eh.e_shoff != 0 && eh.e_shentsize == sizeof *sh &&
	    i < eh.e_shnum && eh.e_shoff <= f->size &&
	    get(f, eh.e_shoff + (uint64_t)i * sizeof *sh, sh, sizeof *sh);
}

void
elf_each_function(const struct elf_file *f,
    void (*visit)(void *, const char *, uint64_t, uint64_t), void *ctx)
{
	Elf64_Shdr table = {.sh_type = SHT_NULL}, names;
	Elf64_Sym sym;

	for (unsigned i = 0; table.sh_type != SHT_SYMTAB; i++) {
		if (!section_header(f, i, &table))
			return;
	}
	if (!inside(f, table.sh_offset, table.sh_size) || !section_header(f, table.sh_link, &names) ||
	    names.sh_size == 0 || !inside(f, names.sh_offset, names.sh_size) ||
	    f->bytes[names.sh_offset + names.sh_size - 1] != '\0')
		return;
	for (uint64_t at = 0; at + sizeof sym <= table.sh_size; at += sizeof sym) {
		if (!get(f, table.sh_offset + at, &sym, sizeof sym) ||
		    ELF64_ST_TYPE(sym.st_info) != STT_FUNC || sym.st_shndx == SHN_UNDEF ||
		    sym.st_size == 0 || sym.st_name >= names.sh_size ||
		    sym.st_value > f->memory_size || sym.st_size > f->memory_size - sym.st_value)
			continue;
		visit(ctx, f->bytes + names.sh_offset + sym.st_name, sym.st_value, sym.st_size);
	}
}

/* ---- the whole file ----------------------------------------------------------------------- */

/* The arrays are followed at run time, so they must lie in the image. */
static bool
arrays_inside(const struct elf_file *f)
{
	uint64_t off;

	return (f->init_count == 0 || (f->init_array != 0 &&
	    file_offset(f, f->init_array, f->init_count * sizeof(uint64_t), &off))) &&
	    (f->fini_count == 0 || (f->fini_array != 0 &&
	    file_offset(f, f->fini_array, f->fini_count * sizeof(uint64_t), &off)));
}

int
elf_read(const char *path, struct elf_file *f, struct kext_text *text)
{
	struct dynamic d;
	int error;

	memset(f, 0, sizeof *f);
	f->path = path;
	error = file_read(path, IMAGE_MAX, &f->bytes, &f->size, text);
	if (error == 0)
		error = check_header(f, text);
	if (error == 0)
		error = read_dynamic(f, &d, text);
	if (error == 0 && !arrays_inside(f))
		error = malformed(f, text, "constructors outside the file");
	if (error == 0)
		error = read_symbols(f, &d, text);
	return error;
}

void
elf_free(struct elf_file *f)
{
	free(f->symbols);
	free(f->bytes);
	memset(f, 0, sizeof *f);
}

const struct elf_symbol *
elf_definition(const struct elf_file *f, const char *name)
{
	for (size_t i = 0; i < f->symbol_count; i++) {
		if (f->symbols[i].defined && strcmp(f->symbols[i].name, name) == 0)
			return &f->symbols[i];
	}
	return NULL;
}

/* ---- changes to the copy in memory -------------------------------------------------------- */

static bool
rename_tag(Elf64_Dyn *e)
{
	static const struct {
		Elf64_Sxword from, to;
	} names[] = {
		{DT_INIT_ARRAY, DT_NKE_INIT_ARRAY}, {DT_INIT_ARRAYSZ, DT_NKE_INIT_ARRAYSZ},
		{DT_FINI_ARRAY, DT_NKE_FINI_ARRAY}, {DT_FINI_ARRAYSZ, DT_NKE_FINI_ARRAYSZ},
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (e->d_tag == names[i].from) {
			e->d_tag = names[i].to;
			return true;
		}
	}
	return false;
}

/* There is nearly always spare room behind the section's end; its last entry must stay DT_NULL. */
static bool
append_symbolic(struct elf_file *f)
{
	Elf64_Dyn e[2] = {{.d_tag = DT_SYMBOLIC}, {.d_tag = DT_NULL}};
	Elf64_Phdr ph;

	for (unsigned i = 0; program_header(f, i, &ph); i++) {
		if (ph.p_type != PT_DYNAMIC || ph.p_filesz / sizeof e[0] <= f->dynamic_count)
			continue;
		put(f, f->dynamic_off + (f->dynamic_count - 1) * sizeof e[0], e, sizeof e);
		f->dynamic_count++;
		return true;
	}
	return false;
}

int
elf_seal(struct elf_file *f, struct kext_text *text)
{
	bool symbolic = false;

	for (uint64_t i = 0; i < f->dynamic_count; i++) {
		uint64_t off = f->dynamic_off + i * sizeof(Elf64_Dyn);
		Elf64_Dyn e;

		if (!get(f, off, &e, sizeof e))
			break;
		if (e.d_tag == DT_FLAGS) {
			e.d_un.d_val |= DF_SYMBOLIC;
			symbolic = true;
		} else if (e.d_tag == DT_SYMBOLIC) {
			symbolic = true;
		} else if (!rename_tag(&e)) {
			continue;
		}
		put(f, off, &e, sizeof e);
	}
	if (!symbolic && !append_symbolic(f))
		return text_fail(text, EINVAL, "%s: no room to mark its own symbols as binding; link it with "
		    "-Wl,-Bsymbolic\n", f->path);
	f->sealed = true;
	return 0;
}

void
elf_weaken(struct elf_file *f, uint32_t index)
{
	uint64_t off = f->symtab_off + (uint64_t)index * sizeof(Elf64_Sym);
	Elf64_Sym sym;

	if (!get(f, off, &sym, sizeof sym))
		return;
	sym.st_info = ELF64_ST_INFO(STB_WEAK, ELF64_ST_TYPE(sym.st_info));
	put(f, off, &sym, sizeof sym);
}

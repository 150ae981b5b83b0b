/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ring 3's first steps: what the loader said (PVH start info: memory map, modules, command line), memory, clock, NICs; then the
 * kernel takes over. Nothing is scanned for and nothing is printed.
 */
#include "kernel/kernel.h"
#include "kernel/platform.h"
#include "lib/bytes.h"
#include "platform/vm/nucleus.h"
#include "platform/vm/vm.h"

enum {
  START_INFO_MAGIC = 0x336ec578,
  MEMORY_TYPE_RAM = 1,
  MAX_MEMORY_ENTRIES = 128,
  MAX_COMMAND_LINE = 8192,
};
static const uint64_t large_page = 2 << 20;
static const uint64_t low_end = 1 << 20; /* mapped read-only by image.ld.S, but for page 0 and the APIC */
static const uint64_t ram_limit = CODE_VIRTUAL;
static const uint64_t little_ram = 16 << 20;

/* Xen's struct hvm_start_info and what it points to. */
struct start_info {
  uint32_t magic, version, flags, module_count;
  uint64_t modules, command_line, rsdp, memory_map;
  uint32_t memory_entries, reserved;
};
struct start_module {
  uint64_t address, size, command_line, reserved;
};
struct memory_entry {
  uint64_t address, size;
  uint32_t type, reserved;
};

extern const char code_arena_end[], image_large_end[];

struct vm_boot vm_boot;

/* The loader's tables lie below 1 MiB, which is mapped. */
static const void *low_memory(uint64_t address, uint64_t length) {
  if (address < 0x1000 || address >= low_end || length > low_end - address) {
    vm_panic("the loader's start info points outside the first MiB; this image needs a PVH loader like QEMU's");
  }
  if (address < LAPIC_USER_VIRTUAL + 0x1000 && address + length > LAPIC_VIRTUAL) {
    vm_panic("the loader's start info lies in the VGA hole");
  }
  return (const void *)(uintptr_t)address;
}

/* The heap gets the RAM behind the image; the archive keeps the large pages it lies in. Where RAM is short, it gets the small pages at the
 * image's end, too, and all is mapped with one call; where it is not, packets are better kept in large pages. */
static void lay_out_memory(const struct start_info *info) {
  if (info->memory_entries == 0 || info->memory_entries > MAX_MEMORY_ENTRIES) {
    vm_panic("the loader gives no usable memory map");
  }
  const struct memory_entry *map = low_memory(info->memory_map, info->memory_entries * sizeof *map);
  uint64_t begin = (uint64_t)(uintptr_t)image_large_end, end = 0;
  for (uint32_t i = 0; i < info->memory_entries; i++) {
    if (map[i].type != MEMORY_TYPE_RAM || map[i].size > UINT64_MAX - map[i].address) continue;
    uint64_t entry_end = map[i].address + map[i].size;
    vm_boot.ram_total += map[i].size;
    if (map[i].address <= begin && entry_end > begin) end = entry_end < ram_limit ? entry_end : ram_limit;
  }
  if (end < begin + large_page) vm_panic("too little memory: give the VM at least 8 MiB (-m 8)");
  vm_boot.heap_next = vm_boot.heap_mapped = begin;
  vm_boot.heap_end = end & ~(large_page - 1);
  if (info->module_count == 0) return;

  const struct start_module *module = low_memory(info->modules, sizeof *module);
  if (module->address < begin || module->size > end || module->address > end - module->size) {
    vm_panic("the boot archive (-initrd) does not lie in memory behind the image");
  }
  uint64_t first = module->address & ~(large_page - 1);
  uint64_t last = align_up(module->address + module->size, large_page);
  if (first < begin + large_page) vm_panic("the boot archive leaves no memory: give the VM more (-m)");
  /* Loaders put it at the end; what lies behind it is given up. */
  vm_boot.heap_end = first < vm_boot.heap_end ? first : vm_boot.heap_end;
  uint64_t from = first;
  if (last - begin <= little_ram) {
    from = begin;
    vm_boot.heap_next = (uint64_t)(uintptr_t)code_arena_end;
    vm_boot.heap_mapped = vm_boot.heap_end;
  }
  if (nucleus_gate(NUCLEUS_MAP, from, (last - from) / large_page, 0) != 0) vm_panic("cannot map the boot archive");
  vm_boot.archive = (struct slice){(const char *)(uintptr_t)module->address, module->size};
}

void boot_read(uint64_t address) {
  const struct start_info *info = low_memory(address, sizeof *info);
  if (info->magic != START_INFO_MAGIC || info->version < 1) {
    vm_panic("no PVH start info with a memory map (version 1); load this image with QEMU's -kernel");
  }
  if (info->command_line != 0) {
    const char *text = low_memory(info->command_line, 1);
    uint64_t room = low_end - info->command_line;
    vm_boot.command_line =
        (struct slice){text, strnlen(text, room < MAX_COMMAND_LINE ? (size_t)room : MAX_COMMAND_LINE)};
  }
  lay_out_memory(info);
  unsigned bad;
  vm_boot.slot_count = boot_parse_slots(vm_boot.command_line, vm_boot.slots, VM_MAX_VIRTIO, &bad);
  if (bad > 0)
    vm_panic(
        "malformed virtio_mmio.device= on the kernel command line (SIZE@ADDRESS:IRQ, each at an address of its own from 0xfea00000 on)");
}

void *platform_memory_grow(size_t least, size_t *length) {
  uint64_t address = vm_boot.heap_next, mapped = vm_boot.heap_mapped;
  if (least > vm_boot.heap_end - address) return NULL;
  uint64_t end = align_up(address + least, large_page);
  if (end > mapped) {
    if (nucleus_gate(NUCLEUS_MAP, mapped, (end - mapped) / large_page, 0) != 0) return NULL;
    vm_boot.heap_mapped = end;
  }
  vm_boot.heap_next = end;
  *length = end - address;
  return (void *)(uintptr_t)address; /* RAM of a fresh VM is zero */
}

uint64_t platform_memory_total(void) { return vm_boot.ram_total; }
struct slice platform_archive(void) {
  return vm_boot.archive;
}
struct slice platform_command_line(void) {
  return vm_boot.command_line;
}

/* The canary lies at 40(%fs), where gcc and the objects of Debian's libsodium look for it. */
static __attribute__((no_stack_protector)) void set_canary(void) {
  uint64_t canary;
  platform_random(&canary, sizeof canary);
  canary &= ~0xffull; /* a zero byte stops string overruns */
  __asm__ volatile("movq %0, %%fs:40" : : "r"(canary));
}

_Noreturn __attribute__((no_stack_protector)) void vm_start(uint64_t start_info, uint64_t tsc) {
  set_canary();
  clock_init(tsc);
  boot_read(start_info);
  kernel_boot_stamp("boot information read");
  virtio_net_start();
  kernel_boot_stamp("NICs ready");
  platform_shutdown(kernel_run());
}

/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago build: an image and a boot archive from a Click file.
 */
#include <getopt.h>
#include <stdio.h>

#include "tools/build.h"
#include "tools/command.h"
#include "tools/file.h"

static const char help[] =
    "usage: imago build [OPTIONS] FILE.click\n"
    "\n"
    "Makes what a virtual machine boots: OUT.elf, a unikernel image with just the elements that FILE.click uses; OUT.cpio, the\n"
    "boot archive with the Click file, its eBPF bundles and the public keys it trusts; and BUILDID.sym, which gives fault\n"
    "reports their names. Nothing is written when the Click file has an error.\n"
    "\n"
    "  -o, --output OUT          what the files are called (default: FILE, in the current directory)\n"
    "  -b, --bundle [NAME=]FILE  put this bundle into the archive, as NAME (default: its file name); may be repeated.\n"
    "                            Bundles that elements name (BPFilter(FILE pass.imb)) are found by themselves when they lie\n"
    "                            beside the Click file\n"
    "  -k, --key PUB.pem         trust bundles signed with this key (Ed25519; 'imago keygen' makes one); may be repeated\n"
    "      --allow-unproven      take bundles without proof too ('imago bundle' makes such), and run them with every access\n"
    "                            checked; for development\n"
    "      --link FILE.a         link element classes of your own from this archive, compiled as the image's are; may be\n"
    "                            repeated\n"
    "      --keep-symbols        leave the symbol table in the image, for gdb\n"
    "      --symbols-in-archive  let the unikernel name functions in its fault reports itself\n"
    "  -h, --help                this text\n"
    "\n"
    "  imago build firewall.click --key signer.pub.pem\n"
    "  imago build firewall.click --key signer.pub.pem --bundle pass.imb=out/pass-v3.imb -o out/firewall\n"
    "  imago run firewall.elf\n"
    "\n"
    "Files: image.ld, link.args, libimago-image.a, libimago-image-elements.a and sodium-verify.o in $IMAGO_LIB, by default\n"
    "platform/vm of the build tree that this program is in. Uses ld and strip.\n"
    "Exit status: 0, or 1 with the reason.\n";

enum { LIST_MAX = 256, LINK = 256, ALLOW_UNPROVEN, KEEP_SYMBOLS, SYMBOLS_IN_ARCHIVE };

/* FILE from DIR/FILE.click. */
static void default_output(const char *click, char output[PATH_MAX]) {
  const char *base = path_base(click);
  int length = (int)slice_of(base).length - (path_has_suffix(base, ".click") ? 6 : 0);
  format_text(output, PATH_MAX, "%.*s", length, base);
}

int command_build(int argc, char **argv) {
  static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                          {"bundle", required_argument, NULL, 'b'},
                                          {"key", required_argument, NULL, 'k'},
                                          {"link", required_argument, NULL, LINK},
                                          {"allow-unproven", no_argument, NULL, ALLOW_UNPROVEN},
                                          {"keep-symbols", no_argument, NULL, KEEP_SYMBOLS},
                                          {"symbols-in-archive", no_argument, NULL, SYMBOLS_IN_ARCHIVE},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
  const char *bundles[LIST_MAX], *keys[LIST_MAX], *links[LIST_MAX];
  char output[PATH_MAX];
  struct build_options build_options = {.bundles = bundles, .keys = keys, .links = links};
  for (int option; (option = getopt_long(argc, argv, "o:b:k:h", options, NULL)) != -1;) {
    switch (option) {
      case 'o':
        build_options.output = optarg;
        break;
      case 'b':
        if (build_options.bundle_count == LIST_MAX) return command_usage(argv[0], "more than %d bundles", LIST_MAX);
        bundles[build_options.bundle_count++] = optarg;
        break;
      case 'k':
        if (build_options.key_count == LIST_MAX) return command_usage(argv[0], "more than %d keys", LIST_MAX);
        keys[build_options.key_count++] = optarg;
        break;
      case LINK:
        if (build_options.link_count == LIST_MAX) return command_usage(argv[0], "more than %d archives", LIST_MAX);
        links[build_options.link_count++] = optarg;
        break;
      case ALLOW_UNPROVEN:
        build_options.allow_unproven = true;
        break;
      case KEEP_SYMBOLS:
        build_options.keep_symbols = true;
        break;
      case SYMBOLS_IN_ARCHIVE:
        build_options.symbols_in_archive = true;
        break;
      case 'h':
        return command_help(help);
      default:
        return command_usage(argv[0], NULL);
    }
  }
  if (argc - optind != 1)
    return command_usage(argv[0], argc == optind ? "which Click file?" : "one Click file at a time");
  build_options.click = argv[optind];
  if (build_options.output == NULL) {
    default_output(build_options.click, output);
    build_options.output = output;
  }

  struct report report = {0};
  struct build_result result;
  int error = build(&build_options, &result, &report);
  int status = command_report(argv[0], &report);
  if (error != 0) return 1;
  printf("%s: %zu bytes, %u element classes; %s: %zu bytes; build id %s\n", result.image, file_size(result.image),
         result.class_count, result.archive, file_size(result.archive), result.build_id);
  return status;
}

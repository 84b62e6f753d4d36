# Warnings, hardening and sanitizers, as one interface target that every target of the project links.
include(CheckCCompilerFlag)
include(CheckLinkerFlag)

add_library(podpid_compiler INTERFACE)
target_compile_definitions(podpid_compiler INTERFACE _GNU_SOURCE)
target_include_directories(podpid_compiler INTERFACE ${PROJECT_SOURCE_DIR})

set(picky
  -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wvla -Wformat=2 -Wstrict-prototypes
  -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wwrite-strings -Wcast-qual
  -Wcast-align -Wimplicit-fallthrough -Wnull-dereference -Wdouble-promotion -Wunused-macros
  -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init
  -Wcomma -Wunreachable-code-aggressive -Wshorten-64-to-32)
foreach(flag IN LISTS picky)
  string(MAKE_C_IDENTIFIER "HAVE${flag}" have)
  check_c_compiler_flag(${flag} ${have})
  if(${have})
    target_compile_options(podpid_compiler INTERFACE ${flag})
  endif()
endforeach()
if(PODPID_WERROR)
  target_compile_options(podpid_compiler INTERFACE -Werror)
endif()

# Only what is marked PODPID_API is seen from outside; what nobody calls is left out of the program.
target_compile_options(podpid_compiler INTERFACE
  -fvisibility=hidden -ffunction-sections -fdata-sections)

set(hardening -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
  -fno-omit-frame-pointer)
foreach(flag IN LISTS hardening)
  string(MAKE_C_IDENTIFIER "HAVE${flag}" have)
  check_c_compiler_flag(${flag} ${have})
  if(${have})
    target_compile_options(podpid_compiler INTERFACE ${flag})
  endif()
endforeach()
# glibc defines _FORTIFY_SOURCE only where the optimiser runs; sanitizers bring their own checks.
if(NOT PODPID_SANITIZE AND NOT PODPID_TSAN)
  target_compile_options(podpid_compiler INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
    $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
endif()
target_link_options(podpid_compiler INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
  -Wl,--as-needed)
include(CheckPIESupported)
check_pie_supported()

if(PODPID_SANITIZE)
  target_compile_options(podpid_compiler INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all)
  target_link_options(podpid_compiler INTERFACE -fsanitize=address,undefined)
endif()
if(PODPID_TSAN)
  target_compile_options(podpid_compiler INTERFACE -fsanitize=thread)
  target_link_options(podpid_compiler INTERFACE -fsanitize=thread)
endif()
# Coverage for libFuzzer in everything, its main only where a fuzz target is linked.
if(PODPID_FUZZ)
  target_compile_options(podpid_compiler INTERFACE
    -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
  target_link_options(podpid_compiler INTERFACE -fsanitize=address,undefined)
endif()

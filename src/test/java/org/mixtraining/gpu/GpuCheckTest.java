package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.Python;

/**
 * submit/gpu-check.sh with stand-ins for the job, for the GPU and for PyTorch: what a part that
 * fails leaves to the others. {@code src/gpu/double/rehearse.sh} runs it with the job.
 */
class GpuCheckTest {
  private static final String SCRIPT = "submit/gpu-check.sh";

  @TempDir private Path home;
  private final Map<String, String> environment = new HashMap<>();

  /**
   * The job answers a benchmark, unless its words are those of FAILS or of HANGS. Python's packages
   * are those of site; it has a PyTorch that measures one configuration.
   */
  @BeforeEach
  void makeStandIns() throws IOException {
    assumeTrue(HostKernels.isInstalled("python3"), "there is no python3");
    Files.createDirectories(home.resolve("submit"));
    Files.createDirectories(home.resolve("java")); // so that nothing is built
    Files.copy(Path.of(SCRIPT), home.resolve(SCRIPT), StandardCopyOption.COPY_ATTRIBUTES);
    program("bin/nvidia-smi", "echo Double");
    program(
        "submit/mixtraining",
        """
        case " $* " in
          *"${FAILS:-none}"*) echo '{"half":'; exit 3 ;;
          *"${HANGS:-none}"*) sleep 100 ;;
        esac
        cat <<JSON
        {"objective": "$5", "batch": $9, "images_per_second": 3000, "step_seconds": 0.5,
        "minibatch_seconds": 0.1, "share_of_peak": 0.5, "gemm_peak_gflops": 1e5,
        "copy_gigabytes_per_second": 4000, "kernel_seconds": {"adamw": 0.1}}
        JSON
        """);
    program(
        "bin/python",
        """
        case "$1 $2" in
          "-c import torch"*) ;;
          "-c "*)
            exec python3 -c 'import sys, sysconfig
        sysconfig.get_path = lambda name: sys.argv[1]
        exec(sys.argv[2])' "$SITE" "$2"
            ;;
          *gpu_torch.py*)
            echo "$*" >>"$SITE/asked"
            case " $* " in *"${FAILS:-none}"*) exit 3 ;; esac
            echo '{"objective": "sl", "batch": 1024, "mode": "'$3'", "images_per_second": 2000}'
            ;;
          *) exec python3 "$@" ;;
        esac
        """);
    environment.put("PATH", home.resolve("bin") + ":" + System.getenv("PATH"));
    environment.put("PYTHON", home.resolve("bin/python").toString());
    environment.put("SITE", Files.createDirectories(home.resolve("site")).toString());
  }

  private void program(String file, String script) throws IOException {
    Path path = home.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, "#!/bin/sh\n" + script);
    assertThat(path.toFile().setExecutable(true)).isTrue();
  }

  private record Said(int exitCode, String out, String err) {}

  private Said check(String... parts) throws Exception {
    Path out = home.resolve("out");
    Path err = home.resolve("err");
    ProcessBuilder builder = new ProcessBuilder("bash", home.resolve(SCRIPT).toString());
    builder.command().addAll(List.of(parts));
    builder.environment().putAll(environment);
    int exitCode =
        builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start().waitFor();
    return new Said(exitCode, Files.readString(out), Files.readString(err));
  }

  private List<String> measured() throws IOException {
    try (Stream<Path> files = Files.list(home.resolve("target/gpu-check"))) {
      return files.map(file -> file.getFileName().toString()).filter(f -> f.contains("-")).toList();
    }
  }

  @Test
  void aPartThatFailsStopsNoOtherAndIsNamedAtTheEnd() throws Exception {
    environment.put("FAILS", "--batch 8 ");
    Said said = check("smoke", "speed-first");
    assertThat(said.exitCode()).isEqualTo(1);
    assertThat(said.out()).containsSubsequence("== smoke", "== speed-first", "images_per_second");
    assertThat(said.err()).contains("failed, or took more than 470 seconds: smoke\n");
    assertThat(measured()).containsExactly("sl-1024.json");
  }

  @Test
  void aPartEndsAtItsLimitWithWhatItHasPrinted() throws Exception {
    environment.put("HANGS", "--objective ssl --model vit-tiny --batch 1024");
    environment.put("LIMIT", "3");
    Said said = check("speed", "eager");
    assertThat(said.exitCode()).isEqualTo(1);
    assertThat(said.out())
        .containsSubsequence("\"batch\": 1024", "\"batch\": 256", "\"batch\": 4096", "\"eager\"");
    assertThat(said.err()).contains("failed, or took more than 3 seconds: speed\n");
    assertThat(measured()).containsExactlyInAnyOrder("sl-1024.json", "sl-256.json", "sl-4096.json");
  }

  @Test
  void aBatchSizeThatFailsStopsNoOtherAndLeavesNoResult() throws Exception {
    environment.put("FAILS", "--objective ssl --model vit-tiny --batch 256");
    Said said = check("speed", "table");
    assertThat(said.exitCode()).isEqualTo(1);
    assertThat(said.err()).contains("failed, or took more than 470 seconds: speed\n");
    assertThat(measured()).hasSize(8).contains("joint-4096.json").doesNotContain("ssl-256.json");
    assertThat(said.out()).contains("joint      4096     3000");
  }

  @Test
  void pyTorchsModesArePartsOfTheirOwn() throws Exception {
    environment.put("FAILS", "--mode compile --objectives sl ");
    Said said =
        check("eager", "compile-ssl", "compile-sl", "compile-joint", "speed-first", "table");
    assertThat(said.err()).contains("failed, or took more than 470 seconds: compile-sl\n");
    assertThat(home.resolve("site/asked"))
        .hasContent(
            """
            submit/gpu_torch.py --mode eager --objectives sl ssl joint --batches 1024 256 4096
            submit/gpu_torch.py --mode compile --objectives ssl --batches 1024 256 4096
            submit/gpu_torch.py --mode compile --objectives sl --batches 1024 256 4096
            submit/gpu_torch.py --mode compile --objectives joint --batches 1024 256 4096
            """);
    assertThat(said.out()).contains("sl         1024     3000     2000     2000     1.50     1.50");
  }

  /** As where the system has NVRTC alone. */
  @Test
  void librariesThatTheSystemLacksAreThoseOfPyTorch() throws Exception {
    Path own = home.resolve("own");
    Path packaged = home.resolve("site/nvidia/cu13/lib");
    for (String library : List.of("cuda.so.1", "nvrtc.so.13", "cudart.so.13")) {
      Files.createDirectories(own);
      Files.createFile(own.resolve("lib" + library));
    }
    for (String library : List.of("nvrtc.so.13", "cublas.so.13", "cublasLt.so.13")) {
      Files.createDirectories(packaged);
      Files.createFile(packaged.resolve("lib" + library));
    }
    environment.put("LD_LIBRARY_PATH", own.toString());

    Said said = check("libraries");

    assertThat(said.exitCode()).as(said.err()).isZero();
    assertThat(said.out())
        .contains("libnvrtc.so.13: %s/libnvrtc.so.13\n".formatted(own))
        .contains("libcublasLt.so.13: %s/libcublasLt.so.13\n".formatted(packaged));

    Files.delete(packaged.resolve("libcublasLt.so.13"));
    assertThat(check("libraries"))
        .matches(s -> s.exitCode() == 1)
        .matches(s -> s.out().contains("libcublasLt.so.13: not found"));
  }

  /** Else what was compiled for one batch size would be made to serve all. */
  @Test
  void pyTorchCompilesForEachBatchSize() throws Exception {
    Python.run("src/test/python/gpu_torch.py", Map.of())
        .passed("test_each_batch_size_is_compiled_for_itself");
  }
}

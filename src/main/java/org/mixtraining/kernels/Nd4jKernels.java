package org.mixtraining.kernels;

import java.util.function.DoubleSupplier;
import org.mixtraining.kernels.RowOps.AdamFactors;
import org.nd4j.linalg.api.blas.params.MMulTranspose;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.memory.enums.AllocationPolicy;
import org.nd4j.linalg.api.memory.enums.LearningPolicy;
import org.nd4j.linalg.api.memory.enums.ResetPolicy;
import org.nd4j.linalg.api.memory.enums.SpillPolicy;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;
import org.nd4j.linalg.api.ops.impl.transforms.custom.SoftMax;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Erf;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Kernels by ND4J operations, for any backend ND4J has, CUDA among them. Spelled out in elementary
 * operations where ND4J's own composite is wrong (precise GELU), lacks a parameter (layer norm's
 * epsilon) or refuses strided views.
 */
final class Nd4jKernels implements Kernels {
  /** Temporaries live in a workspace of this name, as large as the most that one call needed. */
  private static final String SCRATCH = "MIXTRAINING_KERNELS";

  private static final WorkspaceConfiguration SCRATCH_CONFIGURATION =
      WorkspaceConfiguration.builder()
          .initialSize(0)
          .policyLearning(LearningPolicy.FIRST_LOOP)
          .policyAllocation(AllocationPolicy.STRICT)
          .policySpill(SpillPolicy.REALLOCATE)
          .policyReset(ResetPolicy.BLOCK_LEFT)
          .build();

  @Override
  public String name() {
    return "nd4j";
  }

  // --- linear ----------------------------------------------------------------------------------

  @Override
  public void linear(Mat x, Mat w, Mat bias, Mat y) {
    INDArray out = y.array();
    matmul(x.array(), false, w.array(), false, out);
    out.addi(bias.array());
  }

  @Override
  public void matmul(Mat x, Mat w, Mat y) {
    matmul(x.array(), false, w.array(), false, y.array());
  }

  @Override
  public void linearResidual(Mat x, Mat w, Mat bias, Mat residual, Mat y) {
    linear(x, w, bias, y);
    y.array().addi(residual.array());
  }

  @Override
  public void linearInputGradient(Mat dy, Mat w, Mat dx) {
    matmul(dy.array(), false, w.array(), true, dx.array());
  }

  @Override
  public void linearWeightGradient(Mat x, Mat dy, Mat dw) {
    matmul(x.array(), true, dy.array(), false, dw.array());
  }

  @Override
  public void columnSum(Mat x, Mat sum) {
    scratch(() -> sum.array().assign(x.array().sum(true, 0)));
  }

  // --- layer norm ------------------------------------------------------------------------------

  @Override
  public void layerNorm(Mat x, Mat gain, Mat bias, float eps, Mat y, Mat stats) {
    scratch(
        () -> {
          INDArray mean = x.array().mean(true, 1); // [rows, 1]
          INDArray centered = x.array().sub(mean); // [rows, dim]
          INDArray variance = centered.mul(centered).mean(true, 1); // [rows, 1]
          INDArray scale = Transforms.pow(variance.addi(eps), -0.5, false); // [rows, 1]
          y.array().assign(centered.muli(scale).muli(gain.array()).addi(bias.array()));
          stats.cols(0, 1).array().assign(mean);
          stats.cols(1, 2).array().assign(scale);
        });
  }

  @Override
  public void layerNormBackward(
      Mat dy, Mat x, Mat stats, Mat gain, Mat residual, Mat dx, Mat dGain, Mat dBias) {
    scratch(
        () -> {
          INDArray scale = stats.cols(1, 2).array(); // [rows, 1]
          INDArray normal = x.array().sub(stats.cols(0, 1).array()).muli(scale); // [rows, dim]
          dGain.array().assign(dy.array().mul(normal).sum(true, 0));
          dBias.array().assign(dy.array().sum(true, 0));
          INDArray d = dy.array().mul(gain.array()); // [rows, dim]
          INDArray meanDyX = d.mul(normal).mean(true, 1); // [rows, 1]
          d.subi(d.mean(true, 1)).subi(normal.muli(meanDyX)).muli(scale);
          dx.array().assign(residual == null ? d : d.addi(residual.array()));
        });
  }

  // --- GELU ------------------------------------------------------------------------------------

  @Override
  public void biasGelu(Mat h, Mat bias, Mat y) {
    scratch(
        () -> {
          INDArray x = h.array().add(bias.array()); // [rows, cols]
          INDArray normal = Nd4j.exec(new Erf(x.mul(Math.sqrt(0.5)))).addi(1).muli(0.5); // Φ(x)
          INDArray density = Transforms.exp(x.mul(x).muli(-0.5), false);
          density.muli(1 / Math.sqrt(2 * Math.PI));
          y.array().assign(x.mul(normal));
          h.array().assign(density.muli(x).addi(normal));
        });
  }

  @Override
  public void biasGeluBackward(Mat dy, Mat derivative, Mat dBias) {
    dy.array().muli(derivative.array());
    columnSum(dy, dBias);
  }

  // --- attention -------------------------------------------------------------------------------

  @Override
  public void attention(Mat qkv, int tokens, int heads, Mat probabilities, Mat out) {
    INDArray p = scores(probabilities, tokens, heads);
    INDArray o = perHead(out, 0, out.cols(), tokens, heads);
    scratch(
        () -> {
          INDArray q = part(qkv, 0, tokens, heads);
          INDArray k = part(qkv, 1, tokens, heads);
          INDArray v = part(qkv, 2, tokens, heads);
          INDArray logits = product(q, false, k, true).muli(1 / Math.sqrt(q.size(3)));
          Nd4j.exec(new SoftMax(logits, logits, -1));
          p.assign(logits);
          o.assign(product(logits, false, v, false));
        });
    if (probabilities.cols() > tokens) {
      probabilities.cols(tokens, probabilities.cols()).fill(0);
    }
  }

  @Override
  public void attentionBackward(
      Mat qkv, int tokens, int heads, Mat probabilities, Mat dOut, Mat dQkv) {
    scratch(
        () -> {
          INDArray q = part(qkv, 0, tokens, heads);
          INDArray k = part(qkv, 1, tokens, heads);
          INDArray v = part(qkv, 2, tokens, heads);
          INDArray p = scores(probabilities, tokens, heads).dup('c');
          INDArray d = perHead(dOut, 0, dOut.cols(), tokens, heads).dup('c');
          part(dQkv, 2, tokens, heads).assign(product(p, true, d, false));
          INDArray ds = product(d, false, v, true); // [images, heads, tokens, tokens]
          ds.subi(ds.mul(p).sum(true, 3)).muli(p).muli(1 / Math.sqrt(q.size(3)));
          part(dQkv, 0, tokens, heads).assign(product(ds, false, k, false));
          part(dQkv, 1, tokens, heads).assign(product(ds, true, q, false));
        });
  }

  /** q, k or v, the first, second or third part of qkv: [images, heads, tokens, dim / heads]. */
  private static INDArray part(Mat qkv, int which, int tokens, int heads) {
    int dim = qkv.cols() / 3;
    return perHead(qkv, which * dim, dim, tokens, heads);
  }

  /** [images·tokens, dim] seen as [images, heads, tokens, dim / heads]. */
  private static INDArray perHead(Mat x, int from, int dim, int tokens, int heads) {
    long width = dim / heads;
    return x.array(
        from,
        new long[] {x.rows() / tokens, heads, tokens, width},
        new long[] {(long) tokens * x.stride(), width, x.stride(), 1});
  }

  /** The probabilities without padding: [images, heads, tokens, tokens]. */
  private static INDArray scores(Mat probabilities, int tokens, int heads) {
    long perHead = (long) tokens * probabilities.stride();
    return probabilities.array(
        0,
        new long[] {probabilities.rows() / tokens / heads, heads, tokens, tokens},
        new long[] {heads * perHead, perHead, probabilities.stride(), 1});
  }

  // --- losses ----------------------------------------------------------------------------------

  @Override
  public double softmaxCrossEntropy(Mat logits, Mat target, float weight, Mat dLogits) {
    return scratched(
        () -> {
          INDArray t = target.array().castTo(DataType.DOUBLE); // [rows, classes]
          INDArray logP = logits.array().castTo(DataType.DOUBLE);
          logP.subi(logP.max(true, 1));
          logP.subi(Transforms.log(Transforms.exp(logP, true).sum(true, 1), false));
          INDArray d = Transforms.exp(logP, true).muli(t.sum(true, 1)).subi(t).muli(weight);
          dLogits.array().assign(d.castTo(DataType.FLOAT));
          return -t.muli(logP).sumNumber().doubleValue();
        });
  }

  @Override
  public double maskedSquaredError(
      Mat prediction, Mat target, Mat selected, float weight, Mat dPrediction) {
    return scratched(
        () -> {
          INDArray error = prediction.array().sub(target.array()).muli(selected.array());
          dPrediction.array().assign(error.mul(2 * weight));
          INDArray wide = error.castTo(DataType.DOUBLE);
          return wide.muli(wide).sumNumber().doubleValue();
        });
  }

  // --- optimizer -------------------------------------------------------------------------------

  @Override
  public void adamW(
      Mat gradient, Mat m, Mat v, double lr, double beta1, double beta2, double eps, long step) {
    AdamFactors f = AdamFactors.of(lr, beta1, beta2, eps, step);
    scratch(
        () -> {
          INDArray g = gradient.array();
          INDArray first = m.array().muli(f.beta1()).addi(g.mul(f.rest1()));
          INDArray second = v.array().muli(f.beta2()).addi(g.mul(g).muli(f.rest2()));
          INDArray root = Transforms.sqrt(second, true).muli(f.rootScale()).addi(f.eps());
          g.assign(first.mul(f.rate()).divi(root));
        });
  }

  // --- ND4J ------------------------------------------------------------------------------------

  private static void matmul(
      INDArray a, boolean transposeA, INDArray b, boolean transposeB, INDArray c) {
    MMulTranspose transpose =
        MMulTranspose.builder().transposeA(transposeA).transposeB(transposeB).build();
    Nd4j.exec(new Mmul(a, b, c, 1, 0, transpose));
  }

  /** The product of the last two dimensions, for each index of the first two. */
  private static INDArray product(INDArray a, boolean transposeA, INDArray b, boolean transposeB) {
    long rows = a.size(transposeA ? 3 : 2);
    long cols = b.size(transposeB ? 2 : 3);
    INDArray c = Nd4j.create(DataType.FLOAT, a.size(0), a.size(1), rows, cols);
    matmul(a, transposeA, b, transposeB, c);
    return c;
  }

  private static void scratch(Runnable body) {
    scratched(
        () -> {
          body.run();
          return 0;
        });
  }

  /** Runs the body with its temporary arrays in the scratch workspace. */
  private static double scratched(DoubleSupplier body) {
    MemoryWorkspace workspace =
        Nd4j.getWorkspaceManager().getAndActivateWorkspace(SCRATCH_CONFIGURATION, SCRATCH);
    try {
      return body.getAsDouble();
    } finally {
      workspace.close();
    }
  }
}

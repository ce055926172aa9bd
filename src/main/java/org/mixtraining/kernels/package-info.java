/**
 * The dozen operations that a vision transformer needs, forward and backward, and the threads they
 * run on.
 *
 * <p>An {@link org.mixtraining.kernels.Engine} is chosen once per worker and offers {@link
 * org.mixtraining.kernels.Kernels}, one interface with two implementations. The CPU's own works on
 * raw off-heap memory: BLAS for the matrix products, and for everything else small row kernels on
 * the JDK's Vector API, with plain-Java twins that give the same bits where the API is missing. The
 * portable one says the same in ND4J operations, so that any ND4J backend can run it.
 *
 * <p>Where a worker computes is its {@link org.mixtraining.kernels.Device}: the cores of the
 * machine, or a GPU by the {@link org.mixtraining.kernels.Accelerator} that the build has, if any.
 *
 * <p>All of them read and write {@link org.mixtraining.kernels.Matrix}: a row-major float32 matrix
 * over memory that ND4J arrays share, so that a layer hands its parameters and activations over
 * without a copy. Kernels are single-threaded; a layer splits its rows into chunks and runs them by
 * {@link org.mixtraining.kernels.Engine#parallel}, on {@link
 * org.mixtraining.kernels.WorkerThreads}, which is also how everything else here computes in
 * parallel.
 */
package org.mixtraining.kernels;

/**
 * Checkpoints, from which a run resumes after any interruption, in {@code
 * <output>/checkpoints/<run>/}:
 *
 * <ul>
 *   <li>{@code epoch-00007.safetensors}: a {@link org.mixtraining.checkpoint.Checkpoint} after that
 *       many epochs, the newest few of them;
 *   <li>{@code best.safetensors} and {@code final.safetensors}: the model that was best on
 *       validation and the last one, without moments;
 *   <li>{@code LOCK}: the process that trains the run, by its {@link
 *       org.mixtraining.checkpoint.RunLock}.
 * </ul>
 *
 * <p>A {@link org.mixtraining.checkpoint.ModelFile} is any of them, an exported zip, or another
 * program's weights.
 *
 * <p>A file appears whole or not at all, and is verified against the SHA-256 at its end before
 * anything of it is used. It is data, not objects: the safetensors layout, a JSON header and then
 * plain little-endian floats, which other programs read too. An epoch's result rows are written
 * before its checkpoint, so that a run that resumes from a checkpoint has all rows up to it, and
 * replaces later ones by equal ones.
 */
package org.mixtraining.checkpoint;

/**
 * Atomic publication of files and directories, also in object stores, and the owners of locks and
 * staging directories: what a killed process leaves is removed by the next one.
 */
package org.mixtraining.files;

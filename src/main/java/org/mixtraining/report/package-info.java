/**
 * Reports of the result tables, each one self-contained HTML file.
 *
 * <p>{@link org.mixtraining.report.RunFacts} and {@link org.mixtraining.report.ComparisonFacts} are
 * read from the tables; the rest are pure functions of them. A {@link
 * org.mixtraining.report.RunReport} or {@link org.mixtraining.report.ComparisonReport} is a {@code
 * Section} after the other, each made by the class of its name; a section that there is nothing for
 * says why, and {@link org.mixtraining.report.Report#omissions} lists them. The tables hold no
 * images: the caller brings those in {@link org.mixtraining.report.Pictures}.
 *
 * <p>HTML is made with j2html, which escapes every text and attribute; the style sheet is the only
 * thing put in as it is. There is no script, and a content policy forbids everything that does not
 * lie in the file.
 *
 * <p>Charts are drawn by {@link org.mixtraining.report.chart}. Used by the command {@code report}.
 */
package org.mixtraining.report;

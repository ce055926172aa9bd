/**
 * What the result tables say, as one HTML file to read and to hand on.
 *
 * <p>{@link org.mixtraining.report.RunFacts} and {@link org.mixtraining.report.ComparisonFacts} are
 * all that is read of the tables; the rest are pure functions of them. A {@link
 * org.mixtraining.report.RunReport} or {@link org.mixtraining.report.ComparisonReport} is a {@code
 * Section} after the other, each made by the class of its name; a section that there is nothing for
 * says why, and {@link org.mixtraining.report.Report#omissions} lists them. The tables hold no
 * images: the caller brings those in {@link org.mixtraining.report.Pictures}.
 *
 * <p>HTML is made with j2html, which escapes every text and attribute; the style sheet is the only
 * thing put in as it is. There is no script, and a content policy forbids everything that does not
 * lie in the file.
 *
 * <p>A {@code Figure} is a {@code Chart} with what it says in a sentence, a legend of colours
 * together with shapes, dashes or textures, and its numbers as a table. Charts are drawn here, as
 * SVG elements that take their colours from the style sheet (so that they follow the reader's light
 * or dark theme) and that are laid out twice, for a screen and for a phone. Libraries were looked
 * at first: JFreeSVG is under the GPL; XChart and JFreeChart paint in fixed colours and pixel
 * sizes, without texts for those who do not see; uPlot and Vega draw by script, on a canvas or with
 * most of a megabyte of it in each file, and leave nothing to see or to print where scripts are
 * off. What is needed of them is four classes: {@code Range}, {@code Scale}, {@code Axes}, and a
 * chart.
 */
package org.mixtraining.report;

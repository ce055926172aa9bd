/**
 * Charts as SVG elements and tables as HTML, without scripts. A {@link
 * org.mixtraining.report.chart.Figure} is a {@link org.mixtraining.report.chart.Chart} with a
 * sentence that says what it shows, a legend of colours together with shapes, dashes or textures,
 * and its numbers as a {@link org.mixtraining.report.chart.Grid}.
 *
 * <p>Colours come from the page's style sheet, so that charts follow the reader's light or dark
 * theme; each is laid out twice, for a screen and for a phone. Libraries were looked at first:
 * JFreeSVG is under the GPL; XChart and JFreeChart paint in fixed colours and pixel sizes, without
 * texts for those who do not see; uPlot and Vega draw by script, on a canvas or with most of a
 * megabyte of it in each file, and leave nothing to see or to print where scripts are off.
 *
 * <p>Knows neither runs nor comparisons; only the sections of {@code report} use it.
 */
package org.mixtraining.report.chart;

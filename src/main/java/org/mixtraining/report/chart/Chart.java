package org.mixtraining.report.chart;

import j2html.tags.DomContent;
import java.util.List;

/** A drawing of numbers. */
sealed interface Chart permits LineChart, StackedBars, ScatterChart {

  /** Draws it, with the {@link Textures} of the page. */
  Svg draw(Frame frame);

  /** What its colours, shapes and textures stand for; may be empty. */
  List<Key> legend();

  /** A line of the legend. */
  record Key(DomContent sample, String name) {}
}

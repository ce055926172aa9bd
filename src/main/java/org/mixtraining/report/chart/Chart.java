package org.mixtraining.report.chart;

import j2html.tags.DomContent;
import java.util.List;

/** A chart of some kind. */
sealed interface Chart permits LineChart, StackedBars, ScatterChart {

  /** Draws it, with the {@link Textures} of the page. */
  Svg draw(Frame frame);

  /** The legend of its colours, shapes and textures; may be empty. */
  List<Key> legend();

  /** An entry of the legend. */
  record Key(DomContent sample, String name) {}
}

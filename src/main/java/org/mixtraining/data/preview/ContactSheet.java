package org.mixtraining.data.preview;

import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import org.mixtraining.config.UserException;

/**
 * A contact sheet: small images in rows and columns with captions, enlarged so that each pixel is
 * visible.
 *
 * @param channels of every image: 3 for colour; otherwise the first is shown as grey
 */
record ContactSheet(
    String title,
    String subtitle,
    int channels,
    int height,
    int width,
    List<ContactSheet.Group> groups) {
  /** Columns that belong together. */
  record Group(String title, String detail, List<Column> columns) {}

  /** Images below each other. */
  record Column(String title, List<Cell> cells) {}

  /**
   * @param pixels uint8 [channels, height, width]
   * @param caption lines of text
   */
  record Cell(byte[] pixels, List<String> caption) {}

  private static final int IMAGE = 128; // approximate side of a painted image in pixels
  private static final int MARGIN = 24;
  private static final int GAP = 8;
  private static final int GROUP_GAP = 28;
  private static final int LINE = 16;

  private static final Font TITLE = new Font(Font.SANS_SERIF, Font.BOLD, 20);
  private static final Font HEADING = new Font(Font.SANS_SERIF, Font.BOLD, 15);
  private static final Font TEXT = new Font(Font.SANS_SERIF, Font.PLAIN, 13);
  private static final Color INK = new Color(0x1A1A1A);
  private static final Color FAINT = new Color(0x666666);

  /**
   * The sheet on white.
   *
   * @param option the command's option that asks for it
   * @throws UserException if this machine has no font
   */
  BufferedImage paint(String option) {
    var layout = new Layout(this, fonts(option));
    var image =
        new BufferedImage(layout.totalWidth, layout.totalHeight, BufferedImage.TYPE_INT_RGB);
    var graphics = image.createGraphics();
    graphics.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, image.getWidth(), image.getHeight());
    paint(graphics, layout);
    graphics.dispose();
    return image;
  }

  private static FontMetrics fonts(String option) {
    var blank = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
    try {
      return blank.getFontMetrics(TEXT);
    } catch (Error e) { // a plain one: no physical fonts found
      throw new UserException(
          "%s: its captions need a font, and Java finds none (%s); install one (Debian, Ubuntu: apt-get install fontconfig fonts-dejavu-core)"
              .formatted(option, e.getMessage()));
    } finally {
      blank.dispose();
    }
  }

  /** Positions on the sheet, in pixels. */
  private static final class Layout {
    final int cellWidth;
    final int cellHeight;
    final int rowHeight;
    final int headHeight;
    final int totalWidth;
    final int totalHeight;
    final List<List<String>> details = new ArrayList<>();

    Layout(ContactSheet sheet, FontMetrics metrics) {
      int scale = Math.max(1, IMAGE / Math.max(sheet.height, sheet.width));
      cellWidth = scale * sheet.width;
      cellHeight = scale * sheet.height;
      int lines = 0;
      int detailLines = 0;
      int right = MARGIN;
      int rows = 0;
      for (Group group : sheet.groups) {
        var detail = wrapped(group.detail, width(group), metrics);
        details.add(detail);
        detailLines = Math.max(detailLines, detail.size());
        right += width(group) + GROUP_GAP;
        for (Column column : group.columns) {
          rows = Math.max(rows, column.cells.size());
          for (Cell cell : column.cells) {
            lines = Math.max(lines, cell.caption.size());
          }
        }
      }
      rowHeight = cellHeight + lines * LINE + 2 * GAP;
      // title, subtitle, heading, its detail, columns' titles
      headHeight = MARGIN + 28 + 2 * LINE + 20 + detailLines * LINE + LINE + GAP;
      totalWidth = right - GROUP_GAP + MARGIN;
      totalHeight = headHeight + rows * rowHeight + MARGIN;
    }

    int width(Group group) {
      return group.columns.size() * (cellWidth + GAP) - GAP;
    }
  }

  private void paint(Graphics2D graphics, Layout layout) {
    text(graphics, TITLE, INK, title, MARGIN, MARGIN + 18);
    text(graphics, TEXT, FAINT, subtitle, MARGIN, MARGIN + 28 + LINE - 4);
    int headings = MARGIN + 28 + 2 * LINE + 14;
    int left = MARGIN;
    for (int g = 0; g < groups.size(); g++) {
      Group group = groups.get(g);
      text(graphics, HEADING, INK, group.title, left, headings);
      int y = headings;
      for (String line : layout.details.get(g)) {
        y += LINE;
        text(graphics, TEXT, FAINT, line, left, y);
      }
      for (Column column : group.columns) {
        text(graphics, TEXT, FAINT, column.title, left, layout.headHeight - GAP);
        for (int row = 0; row < column.cells.size(); row++) {
          paint(
              graphics,
              layout,
              column.cells.get(row),
              left,
              layout.headHeight + row * layout.rowHeight);
        }
        left += layout.cellWidth + GAP;
      }
      left += GROUP_GAP - GAP;
    }
  }

  private void paint(Graphics2D graphics, Layout layout, Cell cell, int left, int top) {
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_NEAREST_NEIGHBOR);
    graphics.drawImage(
        Thumbnails.image(cell.pixels, channels, height, width),
        left,
        top,
        layout.cellWidth,
        layout.cellHeight,
        null);
    FontMetrics metrics = graphics.getFontMetrics(TEXT);
    for (int i = 0; i < cell.caption.size(); i++) {
      String line = shortened(cell.caption.get(i), layout.cellWidth, metrics);
      text(graphics, TEXT, INK, line, left, top + layout.cellHeight + (i + 1) * LINE - 1);
    }
  }

  private static void text(Graphics2D graphics, Font font, Color color, String text, int x, int y) {
    graphics.setFont(font);
    graphics.setColor(color);
    graphics.drawString(text, x, y);
  }

  private static List<String> wrapped(String text, int width, FontMetrics metrics) {
    var lines = new ArrayList<String>();
    var line = new StringBuilder();
    for (String word : text.split(" ")) {
      if (!line.isEmpty() && metrics.stringWidth(line + " " + word) > width) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }

  private static String shortened(String text, int width, FontMetrics metrics) {
    if (metrics.stringWidth(text) <= width) {
      return text;
    }
    int end = text.length();
    while (end > 0 && metrics.stringWidth(text.substring(0, end) + "…") > width) {
      end--;
    }
    return text.substring(0, end) + "…";
  }
}

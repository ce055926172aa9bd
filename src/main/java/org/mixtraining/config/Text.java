package org.mixtraining.config;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;

/** Text files that people write: UTF-8, with or without a byte order mark. */
public final class Text {
  private static final String MARK = "\uFEFF";

  private Text() {}

  /**
   * What a file holds, without the mark.
   *
   * @throws CharacterCodingException if it is not UTF-8, with a reason for people
   */
  public static String of(byte[] file) throws CharacterCodingException {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(file)).toString();
      return text.startsWith(MARK) ? text.substring(1) : text;
    } catch (MalformedInputException e) {
      throw new NoUtf8Exception();
    }
  }

  /** A resource that belongs to a class. */
  public static String resource(Class<?> of, String name) {
    try (InputStream in = of.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static final class NoUtf8Exception extends CharacterCodingException {
    private static final long serialVersionUID = 1;

    @Override
    public String getMessage() {
      return "is not UTF-8 text; save it as such";
    }
  }
}

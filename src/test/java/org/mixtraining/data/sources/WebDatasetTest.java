package org.mixtraining.data.sources;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.UserException;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.Note;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.RawImage;

class WebDatasetTest {
  private static final byte[] PICTURE = ImageBytes.jpeg(20, 30, 1);

  @TempDir Path directory;

  record Member(String name, byte[] bytes) {}

  static Member text(String name, String text) {
    return new Member(name, text.getBytes(StandardCharsets.UTF_8));
  }

  static Member png(String name) {
    return new Member(name, ImageBytes.png(8, 6, name.hashCode()));
  }

  static byte[] tar(Member... members) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var tar = new TarArchiveOutputStream(bytes)) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      for (var member : members) {
        var entry = new TarArchiveEntry(member.name);
        entry.setSize(member.bytes.length);
        tar.putArchiveEntry(entry);
        tar.write(member.bytes);
        tar.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }

  private void write(String file, Member... members) throws IOException {
    RawFiles.write(directory, file, tar(members));
  }

  private Source open(String... settings) {
    return Source.open(RawFiles.configured("webdataset", directory, settings), RawFiles.spark());
  }

  private List<RawImage> read() throws IOException {
    return RawFiles.read(RawFiles.configured("webdataset", directory));
  }

  private void assertRefused(String message) {
    assertThatThrownBy(this::open)
        .isInstanceOf(UserException.class)
        .hasMessageContaining(message.replace("RAW", "file:" + directory.resolve("raw")));
  }

  @Test
  void aSampleIsAnImageAndItsClass() throws IOException {
    write(
        "set-train-0001.tar", text("b.cls", "2\n"), png("b.png"), text("b.json", "{\"label\": 7}"));
    write(
        "set-train-0000.tar",
        text("x/a.json", "{}"),
        new Member("x/a.JPG", PICTURE),
        text("x/a.cls", "0"));
    write("set-val-0000.tar", png("c.d.png"), png("v.png"), text("v.cls", "1"));

    assertThat(open().classes()).containsExactly("0", "1", "2");
    assertThat(open().has(Split.TEST)).as("there is no other").isTrue();
    assertThat(open().has(Split.VALIDATION)).isFalse();
    var images = read();
    assertThat(images)
        .extracting(RawImage::source)
        .containsExactly(
            "set-train-0000.tar: x/a",
            "set-train-0001.tar: b",
            "set-val-0000.tar: c",
            "set-val-0000.tar: v");
    assertThat(images).extracting(RawImage::label).containsExactly(0, 2, -1, 1);
    assertThat(RawFiles.reasons(images))
        .isEqualTo(Map.of("set-val-0000.tar: c", "has no .jpg, .jpeg or .png"));
    assertThat(((RawImage.Usable) images.get(1)).picture().pixels())
        .as("the bytes of the member, where they are")
        .isEqualTo(alone("b.png"));
  }

  /** The same image as a file. */
  private byte[] alone(String name) throws IOException {
    Path folder = directory.resolve("alone");
    RawFiles.write(folder, "class/" + name, png(name).bytes);
    return ((RawImage.Usable) RawFiles.read(RawFiles.configured("folder", folder)).get(0))
        .picture()
        .pixels();
  }

  @Test
  void classesMayHaveNamesAndStandInAnyFieldOfAJson() throws IOException {
    write(
        "train/0.tar",
        png("a.png"),
        text("a.json", "{\"animal\": \"owl\", \"label\": 3}"),
        png("b.png"),
        text("b.json", "{\"animal\": \"cat\"}"));
    write("test/0.tar", png("a.png"), text("a.json", "{\"animal\": \"owl\"}"));

    assertThat(open("data.label=animal").classes()).containsExactly("cat", "owl");
    assertThat(open("data.label=animal").labelKind()).isEqualTo("animal");
    assertThat(open().classes()).containsExactly("0", "1", "2", "3");
    assertThat(RawFiles.read(RawFiles.configured("webdataset", directory, "data.label=animal")))
        .extracting(RawImage::label)
        .containsExactly(1, 0, 1);
  }

  @Test
  void missingAndDoubledMembersAreQuarantined() throws IOException {
    String far = "f".repeat(150);
    write(
        "0.tar",
        png("good.png"),
        text("good.cls", "0"),
        png("twice.png"),
        text("twice.cls", "0"),
        png("twice.png"),
        png("two.png"),
        new Member("two.jpeg", PICTURE),
        text("two.cls", "0"),
        text("imageless.cls", "0"),
        png("labelless.png"),
        png("blank.png"),
        text("blank.cls", " "),
        png("nolabel.png"),
        text("nolabel.json", "not JSON"),
        new Member("empty.jpg", new byte[0]),
        text("empty.cls", "0"),
        new Member(far + ".jpg", PICTURE),
        text(far + ".cls", "0"),
        text("good.txt", "a caption"),
        text("README", "of the set"));
    RawFiles.write(directory, "notes.txt", "beside".getBytes(StandardCharsets.UTF_8));

    assertThat(RawFiles.reasons(read()))
        .isEqualTo(
            Map.of(
                "0.tar: twice", "has more than one of a kind: twice.png and twice.png",
                "0.tar: two", "has more than one of a kind: two.png and two.jpeg",
                "0.tar: imageless", "has no .jpg, .jpeg or .png",
                "0.tar: labelless", "has no label",
                "0.tar: blank", "has no label",
                "0.tar: nolabel", "has no label",
                "0.tar: empty", "empty: 0 bytes"));
    assertThat(open().notes())
        .containsExactlyInAnyOrder(
            new Note("neither image nor label, skipped", 1, List.of("0.tar: good.txt")),
            new Note("no member of a sample, skipped", 1, List.of("0.tar: README")),
            new Note("not a tar file, skipped", 1, List.of("notes.txt")));
  }

  @Test
  void manySamplesAreReadInPieces() throws IOException {
    write(
        "0.tar",
        IntStream.range(0, 600)
            .mapToObj(i -> i % 2 == 0 ? png(i / 2 + ".png") : text(i / 2 + ".cls", "" + i / 2))
            .toArray(Member[]::new));

    assertThat(open().pieces()).extracting(Piece::images).containsExactly(256, 44);
    assertThat(read())
        .extracting(RawImage::label)
        .isEqualTo(IntStream.range(0, 300).boxed().toList());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 100, 600, 700, 2000, 2300})
  void aTruncatedFileIsRefused(int bytes) throws IOException {
    byte[] whole = tar(new Member("a.jpg", PICTURE), png("b.png"), text("b.cls", "1"));
    RawFiles.write(directory, "train.tar", Arrays.copyOf(whole, bytes));

    assertRefused(
        "mixtraining.data.source: RAW/train.tar is truncated, or no tar file: it does not end with 512 zeros");
  }

  @Test
  void aDamagedFileIsRefused() throws IOException {
    byte[] whole = tar(new Member("a.jpg", PICTURE), png("b.png"), text("b.cls", "1"));
    Arrays.fill(whole, 512, whole.length - 512, (byte) 9);
    RawFiles.write(directory, "train.tar", whole);
    assertRefused("mixtraining.data.source: RAW/train.tar is damaged: ");

    whole = tar(text("a.cls", "1"));
    whole[124 + 7] = '7'; // octal digits of the size
    RawFiles.write(directory, "train.tar", whole);
    assertRefused("mixtraining.data.source: RAW/train.tar is truncated in a.cls");
  }

  @Test
  void whatIsNoTarFileIsRefused() throws IOException {
    RawFiles.write(directory, "train.tar", PICTURE);
    assertRefused("RAW/train.tar is truncated, or no tar file: ");

    Files.delete(directory.resolve("raw/train.tar"));
    assertRefused(
        "mixtraining.data.source: no *.tar of training images in RAW; expected one with *.tar files of .jpg or .png with .cls or .json");
  }

  @Test
  void aSetWithoutALabelIsRefused() throws IOException {
    write("0.tar", png("a.png"), text("a.json", "{\"class\": 1}"));
    assertRefused(
        "no sample of RAW has a label; expected a .cls, or a .json with the field that mixtraining.data.label names");

    write("0.tar", png("a.png"), text("a.cls", "200000"));
    assertRefused("the labels of RAW are of 200001 classes; allowed: 1 to 100000");
  }
}

package org.mixtraining.data.sources;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.UserException;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.Note;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.RawImage;

class FolderTest {
  @TempDir Path directory;

  private void png(String name) throws IOException {
    RawFiles.write(directory, name, ImageBytes.png(8, 6, name.hashCode()));
  }

  private Source open() {
    return Source.open(RawFiles.configured("folder", directory), RawFiles.spark());
  }

  private List<RawImage> read() throws IOException {
    return RawFiles.read(RawFiles.configured("folder", directory));
  }

  private AbstractThrowableAssert<?, ?> failure() {
    return assertThatThrownBy(this::read).isInstanceOf(UserException.class);
  }

  private String raw() {
    return "file:" + directory.resolve("raw");
  }

  @Test
  void classesAreTheDirectoriesInOrderOfTheirNames() throws IOException {
    png("dog/b.png");
    png("dog/a.png");
    RawFiles.write(directory, "cat/c.JPEG", ImageBytes.jpeg(20, 30, 1));
    png(".hidden/x.png");
    png("dog/.hidden.png");
    Files.writeString(directory.resolve("raw/README.md"), "beside the classes");
    assertThat(open().classes()).containsExactly("cat", "dog");
    assertThat(open().channels()).isEqualTo(3);
    assertThat(open().has(Split.TEST)).isFalse();
    assertThat(read())
        .extracting(RawImage::source)
        .containsExactly("cat/c.JPEG", "dog/a.png", "dog/b.png");
    assertThat(read()).extracting(RawImage::label).containsExactly(0, 1, 1);
  }

  @Test
  void valIsTheTestSplitUnlessThereIsATestSplit() throws IOException {
    png("train/cat/1.png");
    png("train/dog/2.png");
    png("val/dog/3.png");
    assertThat(open().pieces()).extracting(Piece::split).containsExactly(Split.TRAIN, Split.TEST);
    png("test/cat/4.png");
    assertThat(open().pieces())
        .extracting(Piece::split)
        .containsExactly(Split.TRAIN, Split.VALIDATION, Split.TEST);
    assertThat(read())
        .extracting(RawImage::source)
        .containsExactly("train/cat/1.png", "train/dog/2.png", "val/dog/3.png", "test/cat/4.png");
    assertThat(read()).extracting(RawImage::label).containsExactly(0, 1, 1, 0);
  }

  @Test
  void aClassMayBeCalledTrain() throws IOException {
    png("car/1.png");
    png("train/2.png");
    assertThat(open().classes()).containsExactly("car", "train");
  }

  @Test
  void anyNameThatAFileCanHaveIsRead() throws IOException {
    var names =
        List.of(
            "a:b.png",
            "%20%zz.png",
            " blank ",
            "new\nline",
            "{a,b}*?[c].png",
            "\\back",
            "#?&=",
            "-rf",
            "..png",
            "é漢😀.png",
            "n".repeat(255));
    for (var name : names) {
      png("c:d %41/" + name);
    }
    var hidden = List.of("..png"); // a name that begins with a dot
    assertThat(read()).hasSize(names.size() - hidden.size());
    assertThat(RawFiles.reasons(read())).isEmpty();
    assertThat(open().classes()).containsExactly("c:d %41");
  }

  @Test
  void whatIsNoImageIsUnusableAndTheRestIsRead() throws IOException {
    png("cat/1.png");
    RawFiles.write(directory, "cat/2.png");
    RawFiles.write(directory, "cat/notes.txt", new byte[] {'h', 'i'});
    Files.createSymbolicLink(directory.resolve("raw/cat/link.png"), directory.resolve("nowhere"));
    var reasons = RawFiles.reasons(read());
    assertThat(reasons).hasSize(2).containsEntry("cat/2.png", "empty: 0 bytes");
    assertThat(reasons.get("cat/link.png")).startsWith("cannot be opened: missing, a broken link");
    assertThat(read()).hasSize(3);
    assertThat(open().notes())
        .containsExactly(new Note("not an image, skipped", 1, List.of("cat/notes.txt")));
  }

  @Test
  void namesThatBeginWithAnUnderscoreAreThoseOfImagesAndClasses() throws IOException {
    png("_unknown_/1.png");
    png("cat/_DSC0001.JPG");
    png("cat/_DSC0002.JPeG");
    png("cat/2.png");
    assertThat(open().classes()).containsExactly("_unknown_", "cat");
    assertThat(read())
        .extracting(RawImage::source)
        .containsExactly("_unknown_/1.png", "cat/2.png", "cat/_DSC0001.JPG", "cat/_DSC0002.JPeG");
    assertThat(RawFiles.reasons(read())).isEmpty();
    assertThat(open().notes()).isEmpty();
  }

  @Test
  void whatIsPassedOverIsCountedAndNamed() throws IOException {
    png("train/cat/1.png");
    png("train/dog/1.png");
    png("test/dog/1.png");
    png("test/flat.png");
    png("beside.png");
    png("train/beside.png");
    png("train/cat/._1.png");
    RawFiles.write(directory, ".DS_Store", new byte[8]);
    RawFiles.write(directory, "__MACOSX/train/cat/._1.png", new byte[8]);
    RawFiles.write(directory, "train/cat/@eaDir/1.png/SYNOPHOTO_THUMB_M.jpg", new byte[8]);
    Files.createSymbolicLink(directory.resolve("raw/train/dog/loop"), directory.resolve("raw"));
    for (var name : List.of("Thumbs.db", "desktop.ini", "notes.XML", "1.json", "README", "done")) {
      RawFiles.write(directory, "train/cat/" + name, name.getBytes(StandardCharsets.UTF_8));
    }
    RawFiles.write(directory, "train/cat/empty");
    assertThat(open().notes())
        .containsExactly(
            new Note("hidden, skipped", 2, List.of(".DS_Store", "train/cat/._1.png")),
            new Note("of the system, skipped", 2, List.of("__MACOSX/", "train/cat/@eaDir/")),
            new Note("beside the splits, skipped", 1, List.of("beside.png")),
            new Note(
                "beside the class directories, skipped",
                2,
                List.of("train/beside.png", "test/flat.png")),
            new Note(
                "not an image, skipped",
                7,
                List.of(
                    "train/cat/1.json",
                    "train/cat/README",
                    "train/cat/Thumbs.db",
                    "train/cat/desktop.ini",
                    "train/cat/done")),
            new Note("link to a directory above, skipped", 1, List.of("train/dog/loop/")));
    assertThat(open().notes().get(4).line())
        .isEqualTo(
            "not an image, skipped: 7 (train/cat/1.json, train/cat/README, train/cat/Thumbs.db, train/cat/desktop.ini, train/cat/done, …)");
    assertThat(read()).hasSize(3);
  }

  @Test
  void imagesOfOtherKindsAreUnusableAndNotPassedOver() throws IOException {
    png("cat/1.png");
    png("cat/without ending");
    RawFiles.write(directory, "cat/a.webp", "RIFF1234WEBPVP8 ".getBytes(StandardCharsets.UTF_8));
    RawFiles.write(directory, "cat/b.HEIC", "0000ftypheic".getBytes(StandardCharsets.UTF_8));
    RawFiles.write(directory, "cat/c", "GIF89a...".getBytes(StandardCharsets.UTF_8));
    RawFiles.write(directory, "cat/d.gif", new byte[] {1});
    assertThat(open().notes()).isEmpty();
    var reasons = RawFiles.reasons(read());
    assertThat(reasons).hasSize(4).containsKey("cat/d.gif");
    assertThat(reasons.get("cat/a.webp")).isEqualTo("neither JPEG nor PNG but WebP");
    assertThat(reasons.get("cat/b.HEIC")).isEqualTo("neither JPEG nor PNG but HEIC");
    assertThat(reasons.get("cat/c")).isEqualTo("neither JPEG nor PNG but GIF");
  }

  @Test
  void spellingsOfAClassInSeveralUnicodeFormsAreOneClass() throws IOException {
    png("train/caf\u00e9/1.png");
    png("train/cafe\u0301/2.png");
    png("train/dog/3.png");
    png("test/cafe\u0301/4.png");
    assertThat(open().classes()).containsExactly("caf\u00e9", "dog");
    assertThat(read()).extracting(RawImage::label).containsExactly(0, 0, 1, 0);
    assertThat(open().notes())
        .containsExactly(
            new Note(
                "one class, its name written in several Unicode forms", 1, List.of("caf\u00e9")));
  }

  @Test
  void splitsAreKnownByTheirUsualNames() throws IOException {
    for (var names :
        List.of(
            List.of("train", "valid", "test"),
            List.of("Train", "Validation", "Test"),
            List.of("training", "dev", "EVAL"))) {
      var root = directory.resolve(names.get(0));
      for (var name : names) {
        RawFiles.write(root, name + "/cat/1.png", ImageBytes.png(8, 8, 1));
      }
      var source = Source.open(RawFiles.configured("folder", root), RawFiles.spark());
      assertThat(source.pieces())
          .extracting(Piece::split)
          .containsExactly(Split.TRAIN, Split.VALIDATION, Split.TEST);
    }
    png("train/cat/1.png");
    png("val/cat/1.png");
    png("valid/cat/1.png");
    failure()
        .hasMessage(
            "mixtraining.data.source: %s holds val/ and valid/, which are the same split; keep only one of them"
                .formatted(raw()));
  }

  @Test
  void aClassWithoutAnyImageIsTold() throws IOException {
    png("cat/1.png");
    RawFiles.write(directory, "dog/Thumbs.db", new byte[8]);
    failure()
        .hasMessage(
            "mixtraining.data.source: class directory %s/dog has no images, only [Thumbs.db]"
                .formatted(raw()));
  }

  @Test
  void aFileThatVanishedIsUnusable() throws IOException {
    png("cat/1.png");
    png("cat/2.png");
    var pieces = open().pieces();
    Files.delete(directory.resolve("raw/cat/1.png"));
    var images = pieces.get(0).read(new Configuration()).toList();
    assertThat(RawFiles.reasons(images))
        .containsExactlyEntriesOf(Map.of("cat/1.png", "cannot be read: FileNotFoundException"));
  }

  @Test
  void aPipeIsNotWaitedFor() throws IOException, InterruptedException {
    png("cat/1.png");
    var pipe = directory.resolve("raw/cat/pipe.png");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> assertThat(RawFiles.reasons(read())).containsEntry("cat/pipe.png", "empty: 0 bytes"));
  }

  @Test
  void aFolderOfAnotherKindIsTold() throws IOException {
    failure()
        .hasMessage(
            "mixtraining.data.source: %s/raw is not a directory; expected one with a directory of images per class, or with train/ and test/ or val/ of that kind"
                .formatted(directory));
    png("1.png");
    failure()
        .hasMessageStartingWith("mixtraining.data.source: no class directories in " + raw())
        .hasMessageEndingWith("found [1.png]");
    Files.createDirectories(directory.resolve("raw/cat"));
    failure()
        .hasMessage("mixtraining.data.source: class directory %s/cat is empty".formatted(raw()));
    png("cat/deep/1.png");
    failure()
        .hasMessage(
            "mixtraining.data.source: class directory %s/cat holds the directory deep; expected images only"
                .formatted(raw()));
  }

  @Test
  void splitsThatDoNotFitAreTold() throws IOException {
    png("train/cat/1.png");
    png("test/mouse/2.png");
    failure().hasMessage("mixtraining.data.source: class mouse of test/ is not one of train/");
    png("extra/cat/2.png");
    failure()
        .hasMessage(
            "mixtraining.data.source: beside train/, %s holds [extra]; allowed there: test/, val/"
                .formatted(raw()));
  }

  @Test
  void aClassThatCannotBeEnteredIsNotLostInSilence() throws IOException {
    png("cat/1.png");
    Files.createSymbolicLink(directory.resolve("raw/dog"), directory.resolve("nowhere"));
    failure()
        .hasMessageStartingWith(
            "mixtraining.data.source: dog in %s cannot be opened: ".formatted(raw()))
        .hasMessageContaining("LC_ALL=C.UTF-8");
  }

  @Test
  void aSourceThatIsNoPathIsTold() {
    for (var source : List.of("", "::", "nosuch://host/x", "file://elsewhere:x/")) {
      var data = RawFiles.configured("folder", directory, "data.source=" + source);
      assertThatThrownBy(() -> Source.open(data, RawFiles.spark()))
          .as(source)
          .isInstanceOf(UserException.class)
          .hasMessageStartingWith("mixtraining.data.source");
    }
  }
}

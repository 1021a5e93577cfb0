package io.connectionledger.model.event;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.OptionalLong;
import javax.crypto.Cipher;
import javax.crypto.ShortBufferException;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** Makes and checks the ids of connections and decisions. Thread-safe. */
public final class ConnectionIds {

  private static final String UNLEASED_PREFIX = "u-";
  private static final String LENT_PREFIX = "l-";
  private static final int LENGTH = 16;
  private static final int MAX_LENGTH = 64;
  private static final int TIME_BYTES = 6;
  private static final int RANDOM_BYTES = 6;
  private static final int KEY_BYTES = 16;
  private static final int BATCH_BYTES = 512 * RANDOM_BYTES;
  private static final ThreadLocal<KeyStream> RANDOM = ThreadLocal.withInitial(KeyStream::new);

  /** 18 bits: of the IPv4 addresses, some 16,000 share each. */
  private static final int CLIENT_LENGTH = 3;

  private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

  private ConnectionIds() {}

  /**
   * A new id of 16 characters: 48 bits of {@code nowMs} and 48 random bits, which cannot be told
   * from any number of others. Whoever could would end another's reservation.
   */
  public static String next(long nowMs) {
    byte[] id = new byte[TIME_BYTES + RANDOM_BYTES];
    ByteBuffer.wrap(id).putShort((short) (nowMs >>> 32)).putInt((int) nowMs);
    RANDOM.get().next(id);
    return ENCODER.encodeToString(id);
  }

  /**
   * A thread's random bytes: the key stream of AES in counter mode, with a key of the system's. Its
   * own generator would cost more than all else of a check.
   */
  private static final class KeyStream {

    private static final byte[] ZEROS = new byte[BATCH_BYTES];

    private final Cipher cipher;
    private final byte[] bytes = new byte[BATCH_BYTES];
    private int next = BATCH_BYTES;

    KeyStream() {
      byte[] seed = new byte[2 * KEY_BYTES];
      new SecureRandom().nextBytes(seed);
      try {
        cipher = Cipher.getInstance("AES/CTR/NoPadding");
        cipher.init(
            Cipher.ENCRYPT_MODE,
            new SecretKeySpec(seed, 0, KEY_BYTES, "AES"),
            new IvParameterSpec(seed, KEY_BYTES, KEY_BYTES));
      } catch (GeneralSecurityException impossible) {
        throw new IllegalStateException("every Java platform has AES", impossible);
      }
    }

    void next(byte[] id) {
      if (next == BATCH_BYTES) {
        fill();
        next = 0;
      }
      System.arraycopy(bytes, next, id, TIME_BYTES, RANDOM_BYTES);
      next += RANDOM_BYTES;
    }

    private void fill() {
      try {
        cipher.update(ZEROS, 0, BATCH_BYTES, bytes);
      } catch (ShortBufferException impossible) {
        throw new IllegalStateException("a key stream is as long as what it hides", impossible);
      }
    }
  }

  /** {@link #next} for a slot that is lent to another instance before anybody asks for it. */
  public static String nextLent(long nowMs) {
    return LENT_PREFIX + next(nowMs);
  }

  /** Whether {@link #nextLent} made this id. */
  public static boolean isLent(String id) {
    return id.length() == LENT_PREFIX.length() + LENGTH && id.startsWith(LENT_PREFIX);
  }

  /** When {@link #next} made this id, milliseconds since the epoch; empty when it did not. */
  public static OptionalLong madeAtMs(String id) {
    if (isLent(id)) {
      return madeAtMs(id.substring(LENT_PREFIX.length()));
    }
    if (id.length() != LENGTH || !isValid(id)) {
      return OptionalLong.empty();
    }
    ByteBuffer bytes = ByteBuffer.wrap(Base64.getUrlDecoder().decode(id));
    return OptionalLong.of(
        (long) Short.toUnsignedInt(bytes.getShort()) << 32
            | Integer.toUnsignedLong(bytes.getInt()));
  }

  /**
   * The id of a connection that was let in without a reservation. The three together are unique and
   * the same in every log entry of the stream; Envoy's own stream id is not, since a client can
   * choose it ({@code x-request-id}).
   *
   * @param startedAtNanos the start of the stream by Envoy's clock, nanoseconds since the epoch
   */
  public static String unleased(String envoy, String downstreamAddress, long startedAtNanos) {
    String digest = digest(envoy + '\n' + downstreamAddress + '\n' + startedAtNanos);
    return UNLEASED_PREFIX + digest.substring(0, LENGTH);
  }

  /**
   * What tells clients apart by their IP address and does not name them: so short that many
   * addresses share one.
   */
  public static String client(String ip) {
    return digest(ip).substring(0, CLIENT_LENGTH);
  }

  private static String digest(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return ENCODER.encodeToString(digest);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every Java platform has SHA-256", impossible);
    }
  }

  public static boolean isUnleased(String connection) {
    return connection.startsWith(UNLEASED_PREFIX);
  }

  /** Whether {@code id} could be one of ours: 1 to 64 characters of base64url. */
  public static boolean isValid(String id) {
    if (id.isEmpty() || id.length() > MAX_LENGTH) {
      return false;
    }
    // A plain loop, because it runs for every record.
    for (int i = 0; i < id.length(); i++) {
      char c = id.charAt(i);
      if (!((c >= 'a' && c <= 'z')
          || (c >= 'A' && c <= 'Z')
          || (c >= '0' && c <= '9')
          || c == '-'
          || c == '_')) {
        return false;
      }
    }
    return true;
  }
}

package io.connectionledger.admission.http.page;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Answers {@code GET /} and the files below {@code /page/} from memory. They hold nothing of the
 * ledger's: what the page shows it asks the query API for, as whoever looks at it. Thread-safe.
 */
public final class PageHandler extends Handler.Abstract.NonBlocking {

  /** Nothing but its own files runs, and nothing is sent elsewhere. */
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
          + " connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";

  private static final String UPLOT = "/META-INF/resources/webjars/uplot/1.6.30/dist/";
  private static final String FOLDER = "/page/";
  private static final String SCRIPT = "text/javascript; charset=utf-8";
  private static final String STYLE = "text/css; charset=utf-8";
  private static final List<String> SCRIPTS =
      List.of(
          "app.js",
          "store.js",
          "api.js",
          "dom.js",
          "overview.js",
          "pool.js",
          "columns.js",
          "podtable.js",
          "history.js",
          "decisions.js",
          "panels.js",
          "forms.js");

  private final Map<String, Page> pages = new HashMap<>();

  private static final class Page {
    final String type;
    final byte[] plain;
    final byte[] compressed;
    final String tag;

    Page(String type, byte[] plain) {
      this.type = type;
      this.plain = plain;
      this.compressed = compressed(plain);
      this.tag = tag(plain);
    }
  }

  /** One that has read its files. */
  public PageHandler() {
    add("/", "index.html", "text/html; charset=utf-8");
    add(FOLDER + "icon.svg", "icon.svg", "image/svg+xml");
    add(FOLDER + "style.css", "style.css", STYLE);
    SCRIPTS.forEach(script -> add(FOLDER + script, script, SCRIPT));
    add(FOLDER + "uplot.js", UPLOT + "uPlot.esm.js", SCRIPT);
    add(FOLDER + "uplot.css", UPLOT + "uPlot.min.css", STYLE);
  }

  private void add(String path, String resource, String type) {
    pages.put(path, new Page(type, read(resource)));
  }

  private static byte[] read(String resource) {
    try (InputStream in = PageHandler.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("the build has left out " + resource);
      }
      return in.readAllBytes();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  private static byte[] compressed(byte[] plain) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(plain.length / 3);
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(plain);
    } catch (IOException impossible) {
      throw new IllegalStateException("memory writes without I/O", impossible);
    }
    return out.toByteArray();
  }

  private static String tag(byte[] plain) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(plain);
      return "\"" + Base64.getUrlEncoder().withoutPadding().encodeToString(digest) + "\"";
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every JDK has SHA-256", impossible);
    }
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    Page page = pages.get(String.valueOf(request.getHttpURI().getPath()));
    if (page == null || !HttpMethod.GET.is(request.getMethod())) {
      return false;
    }
    HttpFields.Mutable headers = response.getHeaders();
    headers.put("content-security-policy", POLICY);
    headers.put("x-content-type-options", "nosniff");
    headers.put("referrer-policy", "no-referrer");
    headers.put("cross-origin-opener-policy", "same-origin");
    headers.put("cache-control", "no-cache");
    headers.put("vary", "accept-encoding");
    HttpFields asked = request.getHeaders();
    boolean compressed = asked.getQualityCSV(HttpHeader.ACCEPT_ENCODING).contains("gzip");
    // Another representation has another tag.
    String tag = compressed ? page.tag.replaceFirst("\"$", "-gzip\"") : page.tag;
    headers.put("etag", tag);
    if (asked.getQualityCSV(HttpHeader.IF_NONE_MATCH).contains(tag)) {
      response.setStatus(HttpStatus.NOT_MODIFIED_304);
      callback.succeeded();
      return true;
    }
    byte[] body = compressed ? page.compressed : page.plain;
    headers.put("content-type", page.type);
    headers.put("content-length", body.length);
    if (compressed) {
      headers.put("content-encoding", "gzip");
    }
    response.write(true, ByteBuffer.wrap(body), callback);
    return true;
  }
}

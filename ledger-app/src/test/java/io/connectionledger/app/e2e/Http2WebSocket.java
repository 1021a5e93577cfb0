package io.connectionledger.app.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.grpc.netty.shaded.io.netty.bootstrap.Bootstrap;
import io.grpc.netty.shaded.io.netty.buffer.ByteBufUtil;
import io.grpc.netty.shaded.io.netty.buffer.Unpooled;
import io.grpc.netty.shaded.io.netty.channel.Channel;
import io.grpc.netty.shaded.io.netty.channel.ChannelHandlerContext;
import io.grpc.netty.shaded.io.netty.channel.ChannelInboundHandlerAdapter;
import io.grpc.netty.shaded.io.netty.channel.ChannelInitializer;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.SimpleChannelInboundHandler;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import io.grpc.netty.shaded.io.netty.channel.socket.SocketChannel;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioSocketChannel;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2DataFrame;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2Headers;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2HeadersFrame;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2SettingsFrame;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2StreamFrame;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * WebSockets as extended CONNECTs (RFC 8441) on one HTTP/2 connection, frame by frame: no client
 * library at hand speaks them.
 */
final class Http2WebSocket implements AutoCloseable {

  private static final int SECONDS = 20;
  private static final byte[] NO_MASK = new byte[4];

  private final MultiThreadIoEventLoopGroup threads =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final Channel connection;

  /** One stream. */
  static final class Http2Stream extends SimpleChannelInboundHandler<Http2StreamFrame> {
    private final CompletableFuture<Http2Headers> answer = new CompletableFuture<>();
    private final BlockingQueue<String> received = new LinkedBlockingQueue<>();
    private final Channel channel;

    private Http2Stream(Channel channel) {
      this.channel = channel;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, Http2StreamFrame frame) {
      if (frame instanceof Http2HeadersFrame headers) {
        answer.complete(headers.headers());
      } else if (frame instanceof Http2DataFrame data) {
        byte[] bytes = ByteBufUtil.getBytes(data.content());
        if (bytes.length > 2) {
          received.add(new String(bytes, 2, bytes.length - 2, UTF_8));
        }
      }
    }

    /** The status: 200 when it is open. */
    int status() throws Exception {
      return Integer.parseInt(answer.get(SECONDS, TimeUnit.SECONDS).status().toString());
    }

    String header(String name) throws Exception {
      CharSequence value = answer.get(SECONDS, TimeUnit.SECONDS).get(name);
      return value == null ? "" : value.toString();
    }

    /** What comes back for a short text. */
    String echo(String text) throws Exception {
      send(0x81, text.getBytes(UTF_8));
      return String.valueOf(received.poll(SECONDS, TimeUnit.SECONDS));
    }

    /** Says goodbye. */
    void close() throws Exception {
      send(0x88, new byte[0]);
    }

    private void send(int opcode, byte[] payload) throws Exception {
      var unused =
          channel
              .writeAndFlush(
                  new DefaultHttp2DataFrame(
                      Unpooled.wrappedBuffer(
                          new byte[] {(byte) opcode, (byte) (0x80 | payload.length)},
                          NO_MASK,
                          payload)))
              .sync();
    }
  }

  private Http2WebSocket(int port) throws Exception {
    CompletableFuture<Boolean> settings = new CompletableFuture<>();
    connection =
        new Bootstrap()
            .group(threads)
            .channel(NioSocketChannel.class)
            .handler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel channel) {
                    channel
                        .pipeline()
                        .addLast(
                            Http2FrameCodecBuilder.forClient().validateHeaders(false).build(),
                            new Http2MultiplexHandler(new ChannelInboundHandlerAdapter()),
                            new SimpleChannelInboundHandler<Http2SettingsFrame>() {
                              @Override
                              protected void channelRead0(
                                  ChannelHandlerContext context, Http2SettingsFrame frame) {
                                Long connect = frame.settings().get((char) 8);
                                settings.complete(connect != null && connect == 1);
                              }
                            });
                  }
                })
            .connect("127.0.0.1", port)
            .sync()
            .channel();
    if (!settings.get(SECONDS, TimeUnit.SECONDS)) {
      throw new IllegalStateException("the server takes no extended CONNECT");
    }
  }

  static Http2WebSocket connect(int port) throws Exception {
    return new Http2WebSocket(port);
  }

  /** Asks for a WebSocket. */
  Http2Stream open(Map<String, String> headers) throws Exception {
    Channel channel =
        new Http2StreamChannelBootstrap(connection)
            .handler(new ChannelInboundHandlerAdapter())
            .open()
            .sync()
            .getNow();
    Http2Stream stream = new Http2Stream(channel);
    channel.pipeline().addLast(stream);
    Http2Headers request =
        new DefaultHttp2Headers(false)
            .method("CONNECT")
            .scheme("http")
            .authority("any")
            .path("/")
            .add(":protocol", "websocket")
            .add("sec-websocket-version", "13");
    headers.forEach(request::add);
    var unused = channel.writeAndFlush(new DefaultHttp2HeadersFrame(request)).sync();
    return stream;
  }

  @Override
  public void close() {
    var unusedClose = connection.close().syncUninterruptibly();
    var unusedStop = threads.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }
}

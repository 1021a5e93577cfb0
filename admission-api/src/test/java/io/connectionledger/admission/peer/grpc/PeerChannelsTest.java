package io.connectionledger.admission.peer.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.testkit.ManualTicker;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class PeerChannelsTest {

  private final ManualTicker ticker = new ManualTicker();
  private final List<ManagedChannel> made = new ArrayList<>();
  private final PeerChannels channels = new PeerChannels(this::connect, ticker);

  private ManagedChannel connect(String address) {
    ManagedChannel channel = NettyChannelBuilder.forTarget("dns:///" + address).build();
    made.add(channel);
    return channel;
  }

  @AfterEach
  void stop() {
    channels.close();
  }

  @Test
  void shouldCloseWhatNothingWasAskedThroughForAWhile() {
    ManagedChannel former = channels.of("10.0.0.1:1");
    ManagedChannel used = channels.of("10.0.0.2:1");
    ticker.advance(PeerChannels.IDLE);

    ManagedChannel again = channels.of("10.0.0.2:1");
    ManagedChannel another = channels.of("10.0.0.3:1");

    assertThat(again).isSameAs(used);
    assertThat(former.isShutdown()).isTrue();
    assertThat(used.isShutdown()).isFalse();
    assertThat(another.isShutdown()).isFalse();
    assertThat(channels.size()).isEqualTo(2);
  }

  @Test
  void shouldKeepNoMoreThanSoManyAndThoseThatAreUsed() {
    ManagedChannel used = channels.of("used:1");
    for (int i = 0; i < 2 * PeerChannels.MAX_CHANNELS; i++) {
      ManagedChannel unused = channels.of("invented-" + i + ":1");
      assertThat(channels.of("used:1")).isSameAs(used);
    }

    assertThat(channels.size()).isEqualTo(PeerChannels.MAX_CHANNELS);
    assertThat(made.stream().filter(channel -> !channel.isShutdown()))
        .hasSize(PeerChannels.MAX_CHANNELS);
  }
}

/** WebSocket clients and a pod that takes them, for the demo and the tests. */
@NullMarked
package io.connectionledger.app.websocket;

import org.jspecify.annotations.NullMarked;

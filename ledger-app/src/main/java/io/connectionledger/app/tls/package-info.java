/** Encryption of the ports, and who is on their other side. */
@NullMarked
package io.connectionledger.app.tls;

import org.jspecify.annotations.NullMarked;

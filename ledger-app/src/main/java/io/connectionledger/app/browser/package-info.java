/** A Chromium that is found on this machine, told what to do over its own protocol. */
@NullMarked
package io.connectionledger.app.browser;

import org.jspecify.annotations.NullMarked;

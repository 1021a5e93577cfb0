/** What an instance does in Kubernetes, and the pools that come from there. */
@NullMarked
package io.connectionledger.app.kubernetes;

import org.jspecify.annotations.NullMarked;

/** Makes events of Envoy's access-log entries. */
@NullMarked
package io.connectionledger.ingest.translate;

import org.jspecify.annotations.NullMarked;

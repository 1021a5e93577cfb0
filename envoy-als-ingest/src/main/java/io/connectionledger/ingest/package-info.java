/** ingest. */
@NullMarked
package io.connectionledger.ingest;

import org.jspecify.annotations.NullMarked;

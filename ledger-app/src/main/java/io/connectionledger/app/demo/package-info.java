/**
 * The demo: real pods, real Envoys and impatient clients around a ledger, and the proof at the end
 * that every count was right.
 */
@NullMarked
package io.connectionledger.app.demo;

import org.jspecify.annotations.NullMarked;

package io.connectionledger.streams;

/** The ledger as its users see it, by what they want of it. */
public record Ledger(Decider decider, PoolRouting routing, PoolQueries queries, Loans loans) {}

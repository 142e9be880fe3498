namespace EgressAppliance.Cluster.Store;

/// <summary>The tables of a site's database.</summary>
internal static class SiteSchema
{
    /// <summary>
    /// <c>egress_lease</c>: who leads; one row a site. <c>egress_box</c>: what each controller last said of itself. <c>egress_controller</c>: the state that the leader left after its latest cycle, with the
    /// token that it led by. <c>egress_journal</c>: every decision and command of all leaders, a day a partition.
    /// </summary>
    public const string Tables = """
        CREATE TABLE egress_lease(
          site text PRIMARY KEY, token bigint NOT NULL, renewals bigint NOT NULL, holder text NOT NULL, run uuid NOT NULL, released boolean NOT NULL, term_ms bigint NOT NULL,
          seen timestamptz NOT NULL);
        CREATE TABLE egress_box(
          site text NOT NULL, box text NOT NULL, run uuid NOT NULL, problem text NOT NULL, details text NOT NULL, seen timestamptz NOT NULL, PRIMARY KEY (site, box));
        CREATE TABLE egress_controller(
          site text PRIMARY KEY, token bigint NOT NULL, cycle bigint NOT NULL, mode text NOT NULL, state text NOT NULL, saved timestamptz NOT NULL);
        CREATE TABLE egress_journal(
          site text NOT NULL, time timestamptz NOT NULL, token bigint NOT NULL, cycle bigint NOT NULL, box text NOT NULL, kind text NOT NULL, line text NOT NULL,
          PRIMARY KEY (site, time, token, cycle, kind)) PARTITION BY RANGE (time);
        """;
}

using EgressAppliance.Cluster.Broker;
using EgressAppliance.Cluster.Leases;
using EgressAppliance.Cluster.Merge;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Traffic;

namespace EgressAppliance.Host.Leadership;

/// <summary>The boxes of a site as the API shows them. Any thread.</summary>
/// <param name="config">The configuration.</param>
/// <param name="traffic">What this box has its traffic from; null: nothing of other boxes.</param>
/// <param name="site">Its part in the leadership; null on other boxes than controllers.</param>
public sealed class ClusterView(ApplianceConfig config, TrafficParts? traffic = null, SiteLeadership? site = null)
{
    /// <summary>As it is now.</summary>
    public ClusterDto Describe()
    {
        LeaseView? lease = site?.View;
        return new ClusterDto(
            config.Site, config.Role == ApplianceRole.All ? "" : config.Box, config.Role.ToString().ToLowerInvariant(), config.Role == ApplianceRole.All || lease is { Leads: true },
            lease?.Leader ?? "", lease?.Token ?? 0,
            [.. (lease?.Boxes ?? []).Select(b => new ControllerDto(b.Box, b.Box == lease!.Leader, b.Problem.Length == 0, b.Problem, Math.Round(Math.Max(0, b.Age.TotalSeconds), 1)))],
            [.. (traffic?.Merger?.Collectors ?? []).Select(Collector)], Broker(BrokerOf()),
            lease is null ? null : new SiteDatabaseDto(lease.Problem, site!.Problem, lease.Exchanges, lease.Failures));
    }

    /// <summary>What is wrong between the boxes, in words.</summary>
    public IEnumerable<string> Problems()
    {
        if (BrokerOf() is { Problem: { } broker })
        {
            yield return $"Broker: {broker}.";
        }

        if (site is not null)
        {
            if (site.View.Problem is { } database)
            {
                yield return $"Database of the site: {database}.";
            }

            if (site.View.Leads && site.Problem is { } notSaved)
            {
                yield return $"The state of this leader is not saved, so that another could not go on with it: {notSaved}.";
            }

            if (site.StopProblem is { } order)
            {
                yield return $"{order}.";
            }

            if (site.View is { Problem: null, Leader: "" })
            {
                yield return "No controller leads the site: plain BGP is in charge.";
            }
        }
    }

    private BrokerStatus? BrokerOf() => traffic?.Publisher?.Status ?? traffic?.Consumer?.Status;

    private static BrokerDto? Broker(BrokerStatus? status) => status is null ? null : new BrokerDto(
        status.ConnectedTo, status.Problem, status.Connections, status.Messages, status.Bytes, status.Repeated, status.Returned, status.Unconfirmed, status.Dropped, status.Waiting, status.WaitingBytes, status.Unreadable);

    private static CollectorDto Collector(CollectorStatus c) => new(
        c.Box, c.Redundant ? "redundant" : c.Missing ? "missing" : "counted", c.Mirror, c.LastTick, Math.Round(c.Lateness.TotalSeconds, 3), c.BitsPerSecond, c.Cells, c.Deltas, c.Lost, c.Duplicates, c.Refused,
        c.Gaps, c.Restarts, c.Health.Version, c.Health.TableComplete, c.Counters.Frames, c.Counters.KernelDropped + c.Counters.PoolExhausted, Math.Round(c.Health.LossRatio, 6), c.Counters.DeltasDropped,
        c.Health.Problems);
}

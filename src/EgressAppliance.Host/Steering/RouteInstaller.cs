using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Steering;

/// <summary>
/// Carries out what the decision maker decided, and is the only one to do so: announcements first, withdrawals after them, so that a
/// prefix that changes links is never without a route of ours in between.
/// </summary>
public sealed class RouteInstaller(IBgpSpeaker speaker, LinkDirectory links, ILogger<RouteInstaller> logger)
{
    private long _announced;
    private long _withdrawn;
    private long _lost;
    private long _refused;

    /// <summary>Overrides announced, withdrawn, lost with their path, and refused, since start.</summary>
    public IReadOnlyList<KeyValuePair<string, long>> Changes =>
    [
        KeyValuePair.Create("announced", Interlocked.Read(ref _announced)),
        KeyValuePair.Create("withdrawn", Interlocked.Read(ref _withdrawn)),
        KeyValuePair.Create("lost", Interlocked.Read(ref _lost)),
        KeyValuePair.Create("refused", Interlocked.Read(ref _refused)),
    ];

    /// <summary>Asks a router for its routes anew; nothing of ours changes.</summary>
    public RefreshOutcome RequestRefresh(string router) => speaker.RequestRefresh(router, family: null);

    /// <summary>Carries out an outcome and tells, for each announcement, whether the speaker took it.</summary>
    /// <returns>The announcements that the speaker refused.</returns>
    public IReadOnlyList<(IpPrefix Prefix, OverrideRefusal Refusal)> Apply(CycleOutcome outcome, Action<IpPrefix, bool> announced)
    {
        List<(IpPrefix, OverrideRefusal)> failed = [];
        List<Override> ready = [];
        foreach (OverrideEntry entry in outcome.Announce)
        {
            OverrideRefusal refusal = OverrideRefusal.PathNotLearned;
            if (links.NextHopFor(entry.To, speaker.GetPaths(entry.Prefix)) is { } nextHop
                && speaker.TryCreateOverride(entry.Prefix, nextHop, out Override? created, out refusal))
            {
                ready.Add(created!);
            }
            else
            {
                Refuse(entry.Prefix, entry.To, refusal);
            }
        }

        if (ready.Count > 0)
        {
            Dictionary<IpPrefix, OverrideRefusal> refused = speaker.Announce(ready).ToDictionary(r => r.Prefix, r => r.Refusal);
            foreach (Override route in ready)
            {
                string link = links.Of(route.Path)?.Name ?? "";
                if (refused.TryGetValue(route.Prefix, out OverrideRefusal refusal))
                {
                    Refuse(route.Prefix, link, refusal);
                }
                else
                {
                    Interlocked.Increment(ref _announced);
                    SteeringLog.Announced(logger, route.Prefix, link, route.Path.NextHop.Address, outcome.Id);
                    announced(route.Prefix, true);
                }
            }
        }

        if (outcome.Withdraw.Count > 0)
        {
            Withdraw([.. outcome.Withdraw.Select(w => w.Prefix)]);
            foreach (OverrideWithdrawal withdrawal in outcome.Withdraw)
            {
                SteeringLog.Withdrawn(logger, withdrawal.Prefix, withdrawal.Link, withdrawal.Reason, outcome.Id);
            }
        }

        return failed;

        void Refuse(IpPrefix prefix, string link, OverrideRefusal refusal)
        {
            Interlocked.Increment(ref _refused);
            SteeringLog.Refused(logger, prefix, link, refusal);
            announced(prefix, false);
            failed.Add((prefix, refusal));
        }
    }

    /// <summary>Withdraws overrides whose lease ran out because cycles stopped.</summary>
    public void WithdrawExpired(IReadOnlyList<OverrideEntry> expired)
    {
        Withdraw([.. expired.Select(e => e.Prefix)]);
        SteeringLog.LeasesExpired(logger, expired.Count);
    }

    /// <summary>Withdraws what the speaker announces and the ledger does not know.</summary>
    public void WithdrawStray(IReadOnlyCollection<IpPrefix> prefixes)
    {
        Withdraw(prefixes);
        SteeringLog.Stray(logger, prefixes.Count);
    }

    /// <summary>Withdraws everything the speaker announces, in one step, whatever the ledger says.</summary>
    public int WithdrawAll()
    {
        int count = speaker.WithdrawAll();
        if (count > 0)
        {
            Interlocked.Add(ref _withdrawn, count);
            SteeringLog.WithdrawnAll(logger, count);
        }

        return count;
    }

    /// <summary>Notes that the speaker itself withdrew an override because its path went.</summary>
    public void NoteLost(IpPrefix prefix, string reason)
    {
        Interlocked.Increment(ref _lost);
        SteeringLog.Lost(logger, prefix, reason);
    }

    /// <summary>Withdraws, and counts those that stood: the watchdog, the speaker or the red button may have been faster.</summary>
    private void Withdraw(IReadOnlyCollection<IpPrefix> prefixes)
    {
        HashSet<IpPrefix> standing = [.. speaker.GetOverrides().Select(o => o.Prefix)];
        speaker.Withdraw(prefixes);
        Interlocked.Add(ref _withdrawn, prefixes.Count(standing.Contains));
    }
}

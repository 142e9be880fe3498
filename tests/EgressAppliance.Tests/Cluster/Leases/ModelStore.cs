using EgressAppliance.Cluster.Leases;

namespace EgressAppliance.Tests.Cluster.Leases;

/// <summary>A database as <c>PostgresLeaseStore</c> uses it: the same conditions, one request at a time, and a clock that is set now and then.</summary>
internal sealed class ModelStore(LeaseModel model)
{
    private readonly Dictionary<string, BoxReport> _boxes = [];
    private readonly List<(long Time, Row Row)> _past = [];
    private Row? _row;
    private int _history = 1;

    /// <summary>How far its clock is ahead, in milliseconds.</summary>
    public long Offset { get; set; }

    /// <summary>Until when it does nothing; requests wait.</summary>
    public long FrozenUntil { get; set; }

    /// <summary>Number of the server; connections to another are lost.</summary>
    public int History => _history;

    private long Clock => (model.Now / 1000) + Offset;

    public LeaseReply Execute(LeaseRequest request)
    {
        BoxReport own = request.Own;
        _boxes[own.Box] = own with { Number = _boxes.TryGetValue(own.Box, out BoxReport? before) ? before.Number + 1 : 1 };
        long term = (long)Math.Ceiling(request.Term.TotalMilliseconds);
        bool ignores = model.Options.Flaw == LeaseFlaw.IgnoresHistory;
        _row ??= new Row(0, model.Options.Flaw == LeaseFlaw.BeginsAtZero ? 0 : model.Random.NextInt64(1L << 50), "", Guid.Empty, false, term, Clock + term, _history);
        Row row = _row;
        bool current = row.History == _history || ignores;
        bool mine = row.Holder == own.Box && row.Run == own.Run && row.Token == request.Token && current;
        bool granted = request.Ask switch
        {
            LeaseAsk.Renew => mine && !row.Released,
            LeaseAsk.Release => mine,
            LeaseAsk.Take => row.Token == request.Seen!.Token && row.Renewals == request.Seen.Renewals && $"{_history}" == request.Seen.History
                && (row.Run == own.Run || !current || row.Expires <= Clock || row.Expires > Clock + row.TermMs),
            _ => false,
        };
        if (granted)
        {
            if (request.Ask == LeaseAsk.Take && !model.Calm && model.Often(ignores ? 0.5 : 0.05))
            {
                // The worst moment for a promotion.
                model.After(model.Some(3000), () => Fail(model.Some(5000)));
            }

            _past.Add((model.Now, row));
            _row = request.Ask == LeaseAsk.Take
                ? new Row(Math.Max(row.Token, request.Token) + 1, row.Renewals + 1, own.Box, own.Run, false, term, Clock + term, _history)
                : row with { Renewals = row.Renewals + 1, Released = request.Ask == LeaseAsk.Release, TermMs = term, Expires = Clock + term };
        }

        Row now = _row;
        return new LeaseReply(
            new LeaseRow(now.Token, now.Renewals, now.Holder, now.Run, now.Released, TimeSpan.FromMilliseconds(now.TermMs), $"{_history}", now.History != _history && !ignores), granted, [.. _boxes.Values]);
    }

    /// <summary>A standby is promoted that has not yet heard of what was confirmed in the latest time.</summary>
    public void Fail(long lost)
    {
        if (model.Calm)
        {
            return;
        }

        int kept = _past.FindIndex(p => p.Time >= model.Now - lost);
        if (kept >= 0)
        {
            _row = _past[kept].Row;
            _past.RemoveRange(kept, _past.Count - kept);
        }

        _history++;
    }

    /// <summary>Someone deletes the row.</summary>
    public void Forget() => _row = null;

    private sealed record Row(long Token, long Renewals, string Holder, Guid Run, bool Released, long TermMs, long Expires, int History);
}

namespace EgressAppliance.Cluster.Leases;

/// <summary>
/// One controller's part in the lease, without any input or output: what to ask of the database next, and what follows from the reply. Why two never announce at a time is told at
/// <see cref="SiteLease"/>.
/// </summary>
/// <param name="options">What governs it.</param>
/// <param name="run">This run of this box: another process, and this one started again, has another.</param>
/// <param name="time">The clock; only its timestamps are used, which nobody sets.</param>
/// <remarks>One caller at a time, but for <see cref="Term"/>.</remarks>
public sealed class LeaseHolder(LeaseOptions options, Guid run, TimeProvider time)
{
    /// <summary>A request that failed at once is repeated after this.</summary>
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(250);

    private readonly LeaseWatch _watch = new(options, time);
    private readonly BoxWatch _others = new(options, time);
    private TimeSpan? _release;
    private long? _badSince;
    private long? _freeSince;
    private long? _stoodBack;
    private long? _endedAt;
    private string _problem = "";
    private bool _took;

    /// <summary>Until when it may announce. Any thread.</summary>
    public LeaseTerm Term { get; } = new(options, time);

    /// <summary>Whether it takes itself for the leader. It may announce only while <see cref="Term"/> says so as well.</summary>
    public bool Leads { get; private set; }

    /// <summary>Number of its latest leadership; 0: it had none.</summary>
    public long Token { get; private set; }

    /// <summary>Why its latest leadership ended, in words.</summary>
    public string EndReason { get; private set; } = "";

    /// <summary>
    /// Gives the time for which routes may still stand once this box has fallen silent, where it is less than <see cref="LeaseOptions.Silence"/>: routers without a session have heard nothing for a while.
    /// </summary>
    public Func<TimeSpan>? Owed { get; set; }

    /// <summary>The lease as it was last seen.</summary>
    public LeaseRow? Row => _watch.Row;

    /// <summary>What all controllers said last.</summary>
    public IReadOnlyList<BoxReport> Boxes => _others.Boxes;

    /// <summary>A release is to be sent.</summary>
    public bool Releasing => _release is not null;

    /// <summary>Where it stands.</summary>
    public LeaseState State => Leads && Term.MayAnnounce ? LeaseState.Leading
        : Leads || (_endedAt is { } ended && time.GetElapsedTime(ended) < options.Owed) ? LeaseState.Yielding
        : LeaseState.Standby;

    /// <summary>Ends the leadership if the clock says that it is over. To be called whenever that may be, and before anything is asked.</summary>
    /// <returns>It was over, and it is the first time that this is found.</returns>
    public bool Lapse()
    {
        if (!Leads || Term.MayAnnounce)
        {
            return false;
        }

        End("it could not be renewed in time");
        return true;
    }

    /// <summary>Gives the lease up, and lets others have it for some terms. The next request gives it back.</summary>
    /// <param name="withdrawn">Every router has confirmed that what was announced is withdrawn; otherwise the others are made to wait until it must be.</param>
    public void Resign(bool withdrawn)
    {
        // Void is also what is still on its way.
        Term.Revoke();
        _stoodBack = time.GetTimestamp();
        if (Leads)
        {
            End("it was resigned");
        }

        if (withdrawn)
        {
            _endedAt = null;
        }

        // Where the database is known to name another there is nothing to give back.
        if (Token > 0 && (Row is null || (Row.Run == run && Row.Token == Token)))
        {
            _release = withdrawn ? TimeSpan.Zero : OwedNow();
        }
    }

    /// <summary>Takes how this box is, when it is known.</summary>
    /// <param name="problem">What keeps this box from deciding well; empty: nothing.</param>
    public void Report(string problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        _problem = problem;
        _badSince = problem.Length == 0 ? null : _badSince ?? time.GetTimestamp();
    }

    /// <summary>What to ask next. It may be that the leadership ends by it: <see cref="Leads"/> is to be looked at before anything is sent.</summary>
    /// <param name="problem">What keeps this box from deciding well; empty: nothing.</param>
    /// <param name="details">Anything else that others may want to know, JSON.</param>
    public LeaseRequest Next(string problem, string details)
    {
        Lapse();
        Report(problem);
        if (Leads && MustYield())
        {
            _stoodBack = time.GetTimestamp();
            End($"it gives way to a box that can decide, since here: {problem}");
            _release = OwedNow();
        }

        _took = false;
        bool standsBack = StandsBack();
        BoxReport own = new(options.Box, run, Leads, problem.Length == 0 && standsBack ? "stands back, since it gave the lease back" : problem, details);
        if (_release is { } owed)
        {
            return new LeaseRequest(LeaseAsk.Release, own, Token, null, owed);
        }

        if (Leads)
        {
            return new LeaseRequest(LeaseAsk.Renew, own, Token, null, options.Term);
        }

        _took = MayTake();
        if (_took)
        {
            return new LeaseRequest(LeaseAsk.Take, own, _watch.Highest, _watch.Row, options.Term);
        }

        // Nobody here leads by it: a request that had been given up was carried out late. The others need not wait for a whole term.
        return _watch.Row is { Released: false, Moved: false } row && row.Run == run
            ? new LeaseRequest(LeaseAsk.Release, own, row.Token, null, OwedNow())
            : new LeaseRequest(LeaseAsk.Look, own, 0, null, options.Term);
    }

    /// <summary>Takes the reply.</summary>
    /// <param name="request">What was asked.</param>
    /// <param name="asked">When, read from the clock before anything was sent.</param>
    /// <param name="reply">The reply.</param>
    public void Replied(LeaseRequest request, long asked, LeaseReply reply)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(reply);
        _watch.Note(reply.Row);
        _others.Note(reply.Boxes, run);
        switch (request.Ask)
        {
            case LeaseAsk.Renew when reply.Granted:
                Term.Grant(asked);
                break;
            case LeaseAsk.Renew when Leads && Token == request.Token:
                End("the database knows of another, or does not know of this one");
                break;
            case LeaseAsk.Take when reply is { Granted: true, Row: { } row }:
                // Also where the reply came too late to lead by it: then it is seen here as its own, and taken anew.
                Token = row.Token;
                Term.Grant(asked);
                Leads = Term.MayAnnounce;
                break;
            case LeaseAsk.Release when _release == request.Term:
                _release = null;
                break;
            default:
                break;
        }

        Lapse();
    }

    /// <summary>No reply came, and it is not known whether the request was or will be carried out.</summary>
    public void Failed()
    {
        Lapse();

        // The others will have waited as long by themselves.
        if (_release is not null && _endedAt is { } ended && time.GetElapsedTime(ended) > options.Term)
        {
            _release = null;
        }
    }

    /// <summary>How long to wait before the next request.</summary>
    /// <param name="asked">When the latest one was asked.</param>
    /// <param name="answered">A reply to it came.</param>
    public TimeSpan Pause(long asked, bool answered)
    {
        if (answered && Releasing)
        {
            return TimeSpan.Zero;
        }

        // Free, and not just refused because of the clock of the database.
        bool free = answered && !Leads && MayTake();
        if (free && !_took)
        {
            return TimeSpan.Zero;
        }

        // One that waits looks right after the holder renews, since it is from there that it counts; and often, if the holder is about to give the lease back.
        bool soon = !answered || free || (!Leads && _watch.Row is { Released: false } held && held.Run != run && (!_watch.Changed || _others.IsBad(held.Holder)));
        TimeSpan pause = (soon && RetryPause < options.Renew ? RetryPause : options.Renew) - time.GetElapsedTime(asked);
        if (answered && !Leads && _watch.Wait(run) is { } wait && wait > TimeSpan.Zero && wait < pause)
        {
            pause = wait;
        }

        if (answered && Leads && _badSince is { } since && options.YieldAfter - time.GetElapsedTime(since) is var left && left > TimeSpan.Zero && left < pause)
        {
            pause = left;
        }

        return pause > TimeSpan.Zero ? pause : TimeSpan.Zero;
    }

    private TimeSpan OwedNow() => (Owed?.Invoke() is { } owed && owed < options.Silence ? owed : options.Silence) + options.Margin;

    private bool MustYield() => _badSince is { } since && time.GetElapsedTime(since) >= options.YieldAfter && _others.AnyReady(options.Box);

    private bool MayTake()
    {
        if (_watch.Wait(run) != TimeSpan.Zero)
        {
            _freeSince = null;
            return false;
        }

        _freeSince ??= time.GetTimestamp();
        return !StandsBack()
            && (_problem.Length == 0 || (!_others.AnyReady(options.Box) && time.GetElapsedTime(_freeSince.Value) >= LeaseOptions.PatientTerms * options.Term));
    }

    /// <summary>Until another has had the lease, or nobody wanted it.</summary>
    private bool StandsBack()
    {
        if (_stoodBack is { } since
            && ((_watch.Row is { } row && row.Run != run && row.Token > Token) || time.GetElapsedTime(since) >= LeaseOptions.StandBackTerms * options.Term))
        {
            _stoodBack = null;
        }

        return _stoodBack is not null;
    }

    private void End(string reason)
    {
        // A reply that is still on its way does not bring it back: who leads again does so with a new token.
        Term.Revoke();
        Leads = false;
        EndReason = reason;
        _endedAt = time.GetTimestamp();
    }
}

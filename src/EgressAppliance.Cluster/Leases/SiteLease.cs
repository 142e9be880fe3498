using Microsoft.Extensions.Logging;

namespace EgressAppliance.Cluster.Leases;

/// <summary>
/// The leadership of a site: at any time at most one controller may announce.
/// </summary>
/// <remarks>
/// Why never two. A controller may announce for <see cref="LeaseOptions.Voice"/> after it asked for a grant, that is for the term less <see cref="LeaseOptions.Silence"/>; by the end of the term
/// the routers have dropped what it announced, whether it withdrew it, was killed, stopped in the midst of an instruction or cut off: the hold time of BGP sees to that, and the kernel gives up a
/// connection on which a message lies unacknowledged. Another controller takes over when it has seen the lease unchanged for a whole term, by its own clock, from when it saw the latest renewal;
/// that is later than when the holder asked for it. The two clocks need only run at the same rate, within <see cref="LeaseOptions.Drift"/>. The database must not forget what it has confirmed: see the decision record.
///
/// What a stopped controller still has to say when it goes on is said into connections that its routers have closed, and before it makes a new one it has asked
/// <see cref="MayAnnounce"/>.
///
/// A leader that cannot decide well (a session down, no collector heard) gives way to a box that can. A box that cannot takes the lease only when no other has wanted it for some terms:
/// somebody should tell the operator what is wrong.
/// </remarks>
public sealed class SiteLease : IAsyncDisposable
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(250);

    /// <summary>A report older than this says nothing any more.</summary>
    private static readonly TimeSpan FreshReport = TimeSpan.FromSeconds(4);

    /// <summary>Terms for which a free lease is left to boxes that can decide well.</summary>
    private const int PatientTerms = 3;
    private readonly LeaseOptions _options;
    private readonly ILeaseStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LeaseTerm _term;
    private readonly LeaseWatch _watch;
    private readonly CancellationTokenSource _stop = new();
    private readonly Guid _run = Guid.NewGuid();
    private volatile LeaseView _view = new();
    private volatile string _problem = "not started yet";
    private volatile string _details = "{}";
    private Task _running = Task.CompletedTask;
    private long _token;
    private long _badSince = long.MinValue;
    private long _freeSince = long.MinValue;
    private bool _leads;

    /// <summary>A lease that is ready to start.</summary>
    /// <param name="options">What governs it.</param>
    /// <param name="store">The database.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where to log.</param>
    /// <exception cref="ArgumentException">The term is too short for the silence that it must contain.</exception>
    public SiteLease(LeaseOptions options, ILeaseStore store, TimeProvider time, ILogger<SiteLease> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(time);
        TimeSpan least = LeaseOptions.LeastTerm(options.Silence, options.Renew, options.Drift);
        if (options.Term < least)
        {
            throw new ArgumentException($"A term of {options.Term.TotalSeconds:0.#} s is too short: {least.TotalSeconds:0.#} s are the least with a silence of {options.Silence.TotalSeconds:0.#} s.", nameof(options));
        }

        _options = options;
        _store = store;
        _time = time;
        _logger = logger;
        _term = new LeaseTerm(options, time);
        _watch = new LeaseWatch(options, time);
    }

    /// <summary>Called, one at a time, when this box begins (true) or ends (false) to lead. While it runs the lease is not renewed: it must be quick.</summary>
    public Action<bool>? Changed { get; set; }

    /// <summary>Gives the time for which routes may still stand once this box has fallen silent; the whole silence unless it is less.</summary>
    public Func<TimeSpan>? Owed { get; set; }

    /// <summary>Whether routes may be announced now. Any thread; without waiting.</summary>
    public bool MayAnnounce => _term.MayAnnounce;

    /// <summary>Number of the latest leadership of this box: what it writes with it is refused once another has a higher one. Any thread.</summary>
    public long Token => Interlocked.Read(ref _token);

    /// <summary>What is known of the site's controllers. Any thread.</summary>
    public LeaseView View => _view;

    /// <summary>Tells how this box is; part of its next exchange with the database. Any thread.</summary>
    /// <param name="problem">What keeps it from deciding well; null: nothing.</param>
    /// <param name="details">Anything else that others may want to know, JSON.</param>
    public void Report(string? problem, string details)
    {
        _details = details;
        _problem = problem ?? "";
        if (problem is null)
        {
            Interlocked.Exchange(ref _badSince, long.MinValue);
        }
        else
        {
            Interlocked.CompareExchange(ref _badSince, _time.GetTimestamp(), long.MinValue);
        }
    }

    /// <summary>Begins to look for the lease.</summary>
    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>Stops, and gives the lease back. What this box announced must have been withdrawn.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _term.Revoke();
        if (_leads)
        {
            using CancellationTokenSource limit = new(_options.Renew);
            try
            {
                await _store.ReleaseAsync(Own(), Token, OwedNow(), limit.Token).WaitAsync(_options.Renew).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Then the others wait for a term.
                LeaseLog.Unreachable(_logger, e.Message);
            }
        }

        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            long begun = _time.GetTimestamp();
            bool answered = await StepAsync().ConfigureAwait(false);
            TimeSpan pause = (answered && !_watch.IsAboutToBeFree ? _options.Renew : RetryPause) - _time.GetElapsedTime(begun);
            if (pause > TimeSpan.Zero)
            {
                await Task.Delay(pause, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<bool> StepAsync()
    {
        // Before anything is sent: a grant counts from here.
        long asked = _time.GetTimestamp();
        bool renewing = _leads && MayAnnounce && !MustYield();
        bool taking = !_leads && MayTake();
        try
        {
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            limit.CancelAfter(_options.Renew);
            LeaseReply reply = await (renewing ? _store.RenewAsync(Own(), _token, limit.Token)
                : taking ? _store.TakeAsync(Own(), _watch.Row, _options.Term, limit.Token)
                : _leads ? YieldAsync(limit.Token)
                : _store.LookAsync(Own(), limit.Token)).WaitAsync(_options.Renew * 1.5, _stop.Token).ConfigureAwait(false);
            _watch.Note(reply.Row);
            if (reply.Granted && (renewing || taking))
            {
                _term.Granted(asked);
            }

            Show(reply, null);
            if (taking && reply.Granted)
            {
                Interlocked.Exchange(ref _token, reply.Row!.Token);
                SetLeads(true);
            }
            else if (renewing && !reply.Granted)
            {
                // Another has it, or it was given back for us.
                SetLeads(false);
            }

            return true;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Whatever it is, the database or a bug of its driver: no grant came, and without one this box falls silent by itself.
            string words = e is OperationCanceledException or TimeoutException ? "the database does not answer in time" : e.Message;
            if (_view.Problem != words)
            {
                LeaseLog.Unreachable(_logger, words);
            }

            Show(null, words);
            return false;
        }
        finally
        {
            if (_leads && !MayAnnounce)
            {
                SetLeads(false);
            }
        }
    }

    /// <summary>Falls silent, and then gives the lease back.</summary>
    private async Task<LeaseReply> YieldAsync(CancellationToken cancellationToken)
    {
        long token = _token;
        SetLeads(false);
        return await _store.ReleaseAsync(Own(), token, OwedNow(), cancellationToken).ConfigureAwait(false) with { Granted = false };
    }

    private bool MustYield()
    {
        long since = Interlocked.Read(ref _badSince);
        return since != long.MinValue && _time.GetElapsedTime(since) >= _options.YieldAfter && OtherIsReady();
    }

    private bool MayTake()
    {
        if (!_watch.IsFree(_run))
        {
            _freeSince = long.MinValue;
            return false;
        }

        long now = _time.GetTimestamp();
        _freeSince = _freeSince == long.MinValue ? now : _freeSince;
        return _problem.Length == 0 || (!OtherIsReady() && _time.GetElapsedTime(_freeSince, now) >= PatientTerms * _options.Term);
    }

    private bool OtherIsReady() => _view.Boxes.Any(b => b.Run != _run && b.Problem.Length == 0 && b.Age < FreshReport);

    private TimeSpan OwedNow() => Owed?.Invoke() is { } owed && owed < _options.Silence ? owed : _options.Silence;

    private BoxReport Own() => new(_options.Box, _run, _problem, TimeSpan.Zero, _details);

    private void SetLeads(bool leads)
    {
        if (!leads)
        {
            _term.Revoke();
        }

        if (_leads == leads)
        {
            return;
        }

        _leads = leads;
        _view = _view with { Leads = leads };
        if (leads)
        {
            LeaseLog.Leads(_logger, _options.Box, _token);
        }
        else
        {
            LeaseLog.Ends(_logger, _options.Box, _token);
        }

        Changed?.Invoke(leads);
    }

    private void Show(LeaseReply? reply, string? problem) => _view = new LeaseView
    {
        Leads = _leads,
        Leader = reply is null ? _view.Leader : reply.Row is { Released: false } row ? row.Holder : "",
        Token = reply is null ? _view.Token : reply.Row?.Token ?? 0,
        Boxes = reply?.Boxes ?? _view.Boxes,
        Problem = problem,
        Exchanges = _view.Exchanges + (reply is null ? 0 : 1),
        Failures = _view.Failures + (reply is null ? 1 : 0),
    };
}

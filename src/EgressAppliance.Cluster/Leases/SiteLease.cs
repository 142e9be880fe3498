using Microsoft.Extensions.Logging;

namespace EgressAppliance.Cluster.Leases;

/// <summary>
/// The leadership of a site: at any time routes of at most one controller are at the routers.
/// </summary>
/// <remarks>
/// Why never two. Let D be the term, R the silence (the BGP hold time H, and the time U for which a message may lie in the kernel before its connection is given up), M the margin, d the drift.
/// <list type="number">
/// <item>The database renews a lease, or gives it to another, in one statement on one row that names what it takes for granted (token and number of the latest renewal). So what it confirmed is one
/// sequence, in which a token never comes back.</item>
/// <item>A holder that asked at instant s and got the grant speaks until s + D(1 − d) − R − M at the latest, by its monotonic clock, however late the reply came. It asks
/// <see cref="MayAnnounce"/> right before it hands a message to the kernel. The last message is with the router U later, and H after that the routes are gone: because they were withdrawn, because the connection ended, or because
/// the hold time passed. So they are gone by s + D, whether the holder runs, is stopped, was killed, or is cut off.</item>
/// <item>Another takes the lease only if it has seen the row unchanged for D(1 + d) by its own monotonic clock, counted from when the reply came in that showed it first. The row was renewed before that, and
/// asked for before it was renewed. So it takes it at s + D or later. No clock of another machine counts in that; that of the database is asked as well, and can only make it wait longer, by D at most.</item>
/// <item>A holder that gives back falls silent first, and says how long its routes may still stand: nothing if the routers confirmed the withdrawal, R + M otherwise. For so long the row must be seen
/// unchanged.</item>
/// </list>
/// What is taken for granted: monotonic clocks agree to d and count while the process is stopped; M covers what passes between question and message, and what a clock fails to count while a virtual machine is moved;
/// the database does not forget what it confirmed (where it is promoted or recovered to a point in time, the row counts as unknown, and a whole term is waited for). A process that is stopped for longer than M
/// between question and message, and goes on while its session still lives, may have one message with the router that is late; asked again after the message, it knows, and ends the session. With M = H even that
/// is harmless.
///
/// A leader that cannot decide well (a session down, no collector heard) gives way to a box that can. A box that cannot takes the lease only when no other has wanted it for some terms: to lead is safe for it
/// as well, since it freezes.
/// </remarks>
public sealed class SiteLease : IAsyncDisposable
{
    private readonly LeaseOptions _options;
    private readonly ILeaseStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LeaseTerm _term;
    private readonly LeaseHolder _holder;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _lapse;
    private readonly List<TaskCompletionSource<bool>> _resigned = [];
    private volatile LeaseView _view = new();
    private (string Problem, string Details) _report = ("not started yet", "{}");
    private Task _running = Task.CompletedTask;
    private long _token;
    private bool _told;
    private volatile TaskCompletionSource _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);

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
        options.Validate();
        _options = options;
        _store = store;
        _time = time;
        _logger = logger;
        _holder = new LeaseHolder(options, Guid.NewGuid(), time);
        _term = _holder.Term;
        _lapse = time.CreateTimer(_ => Settle(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Called, one at a time, when this box begins (true) or ends (false) to lead. While it runs the lease is not renewed: it must be quick.</summary>
    public Action<bool>? Changed { get; set; }

    /// <inheritdoc cref="LeaseHolder.Owed"/>
    public Func<TimeSpan>? Owed
    {
        get => _holder.Owed;
        set => _holder.Owed = value;
    }

    /// <summary>Whether routes may be announced, and sessions that carry some kept alive, at this instant. Any thread; without waiting. To be asked right before each message, and again after it.</summary>
    public bool MayAnnounce => _term.MayAnnounce;

    /// <summary>For how long it may still be done if no renewal succeeds. Any thread; without waiting.</summary>
    public TimeSpan Remaining => _term.Remaining;

    /// <summary>Number of the latest leadership of this box: what it writes with it is refused once another has a higher one. Any thread.</summary>
    public long Token => Interlocked.Read(ref _token);

    /// <summary>Where this box stands. Any thread.</summary>
    public LeaseState State
    {
        get
        {
            lock (_gate)
            {
                return _holder.State;
            }
        }
    }

    /// <summary>What is known of the site's controllers. Any thread.</summary>
    public LeaseView View => _view;

    /// <summary>Tells how this box is; part of its next exchange with the database. Any thread.</summary>
    /// <param name="problem">What keeps it from deciding well; null: nothing.</param>
    /// <param name="details">Anything else that others may want to know, JSON.</param>
    public void Report(string? problem, string details)
    {
        ArgumentNullException.ThrowIfNull(details);
        lock (_gate)
        {
            _report = (problem ?? "", details);
            _holder.Report(_report.Problem);
        }
    }

    /// <summary>Begins to look for the lease.</summary>
    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>
    /// Gives the lease back and stands back for some terms, so that another box can have it. From the call on this box may not announce. Called again with <paramref name="withdrawn"/> set, while
    /// nobody else has the lease yet, it shortens the wait of the others.
    /// </summary>
    /// <param name="withdrawn">Every router has confirmed that what was announced is withdrawn; otherwise the others wait until it must be gone.</param>
    /// <param name="cancellationToken">Ends the wait, not the resignation.</param>
    /// <returns>The database has confirmed it. If false, it did not answer in time, and the others wait for a term.</returns>
    public async Task<bool> ResignAsync(bool withdrawn, CancellationToken cancellationToken = default)
    {
        TaskCompletionSource<bool> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _holder.Resign(withdrawn);
            if (!_holder.Releasing)
            {
                done.SetResult(true);
            }
            else
            {
                _resigned.Add(done);
            }
        }

        Settle();
        _wake.TrySetResult();
        return await done.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Stops. The lease is given back, as not yet withdrawn unless <see cref="ResignAsync"/> said otherwise.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        bool leads;
        lock (_gate)
        {
            leads = _holder.Leads;
        }

        if (leads && !_running.IsCompleted)
        {
            await ((Task)ResignAsync(false).WaitAsync(_options.Renew)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _term.Revoke();
        Settle();
        await _lapse.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            LeaseRequest request;
            lock (_gate)
            {
                request = _holder.Next(_report.Problem, _report.Details);
            }

            // Before anything is sent: a grant counts from here. What the question itself changed is told first.
            Settle();
            long asked = _time.GetTimestamp();
            bool answered = await ExchangeAsync(request, asked).ConfigureAwait(false);
            Settle();
            TimeSpan pause;
            lock (_gate)
            {
                pause = _holder.Pause(asked, answered);
            }

            if (pause > TimeSpan.Zero)
            {
                await PauseAsync(pause).ConfigureAwait(false);
            }
        }
    }

    private async Task PauseAsync(TimeSpan pause)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        Task slept = Task.Delay(pause, _time, over.Token);
        await Task.WhenAny(slept, _wake.Task).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        await slept.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // What was called in between is part of the next request, which is made now.
        _wake = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private async Task<bool> ExchangeAsync(LeaseRequest request, long asked)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        try
        {
            // The store is told to give up, and is not waited for if it does not.
            limit.CancelAfter(_options.Renew);
            LeaseReply reply = await _store.ExchangeAsync(request, limit.Token).WaitAsync(_options.Renew * 1.25, _stop.Token).ConfigureAwait(false);
            lock (_gate)
            {
                _holder.Replied(request, asked, reply);
            }

            if (_view.Problem is not null)
            {
                LeaseLog.Answers(_logger, _view.Failures);
            }

            Show(reply, null);
            return true;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Whatever it is, the database or a bug of its driver: no grant came, and without one this box falls silent by itself.
            lock (_gate)
            {
                _holder.Failed();
            }

            string words = e is OperationCanceledException or TimeoutException ? "no answer in time" : e.Message;
            if (_view.Problem != words)
            {
                LeaseLog.Unreachable(_logger, words);
            }

            Show(null, words);
            return false;
        }
    }

    /// <summary>Tells of a change if there is one, and sets the clock that finds the end of the leadership while the database does not answer.</summary>
    private void Settle()
    {
        lock (_gate)
        {
            _holder.Lapse();
            bool leads = _holder.Leads;
            bool changed = leads != _told;
            if (changed)
            {
                // The token is there before anybody can hear of the leadership.
                Interlocked.Exchange(ref _token, _holder.Token);
                _told = leads;
                _view = _view with { Leads = leads };
                if (leads)
                {
                    LeaseLog.Leads(_logger, _options.Box, _holder.Token);
                }
                else
                {
                    LeaseLog.Ends(_logger, _options.Box, _holder.Token, _holder.EndReason);
                }
            }

            _lapse.Change(leads ? _term.Remaining + TimeSpan.FromMilliseconds(1) : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            if (!_holder.Releasing || _stop.IsCancellationRequested)
            {
                foreach (TaskCompletionSource<bool> waiting in _resigned)
                {
                    waiting.TrySetResult(_holder.Row is { Released: true } row && row.Token == _holder.Token);
                }

                _resigned.Clear();
            }

            if (changed)
            {
                Tell(leads);
            }
        }
    }

    private void Tell(bool leads)
    {
        try
        {
            Changed?.Invoke(leads);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Announcing is governed by the clock alone; who throws here only misses the news.
            LeaseLog.ChangedThrew(_logger, e);
        }
    }

    private void Show(LeaseReply? reply, string? problem)
    {
        lock (_gate)
        {
            _view = new LeaseView
            {
                Leads = _told,
                Leader = reply is null ? _view.Leader : reply.Row is { Released: false } row ? row.Holder : "",
                Token = reply is null ? _view.Token : reply.Row?.Token ?? 0,
                Boxes = reply is null ? _view.Boxes : _holder.Boxes,
                Problem = problem,
                Exchanges = _view.Exchanges + (reply is null ? 0 : 1),
                Failures = _view.Failures + (reply is null ? 1 : 0),
            };
        }
    }
}

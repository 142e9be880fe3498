using EgressAppliance.Cluster.Store;

namespace EgressAppliance.Host.Leadership;

/// <summary>
/// The red button of a site, which works at every controller: one that does not lead leaves the order in the database for the one that does, which obeys within a second or two, and so does the next leader
/// if there is none.
/// </summary>
/// <remarks>
/// <code>
/// pressed ──► this box leads ──► withdrawn ───────────────────────────┐
///    │                                                                ├──► state saved, with the token ──► the order is over
///    └──► it does not ──► order in the database ──► leader withdraws ─┘
/// </code>
/// An order is over only when a state that obeys it is saved: until then it goes with this box, should it come to lead, or to the database as soon as that answers, should it not. So the button may be pressed
/// while the database is away, and on a leader that is just losing its lease. What is lost with the process is an order that nobody could be told of; the operator is told that it is.
/// Orders need no token: obeyed once too often they leave plain BGP in charge.
/// </remarks>
/// <param name="store">Where orders wait.</param>
/// <param name="token">The leadership under which this box may announce now; 0: it may not.</param>
/// <param name="withdraw">Withdraws everything; whether this box decided, so that its state says so. Any thread.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where to log.</param>
public sealed class SiteStops(IStopStore store, Func<long> token, Func<bool> withdraw, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    /// <summary>Time between looks for orders.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Orders from the database that were obeyed under <see cref="_obeying"/>, and whether a saved state says so.</summary>
    private readonly Dictionary<Guid, bool> _obeyed = [];
    private Task _running = Task.CompletedTask;
    private long _obeying;
    private Order? _order;
    private volatile string? _problem;

    /// <summary>What waits here, in words; null: nothing. Any thread.</summary>
    public string? Problem => _problem;

    /// <summary>Whether an order that was given here is neither in the database nor obeyed in a saved state. Any thread.</summary>
    public bool Waits
    {
        get
        {
            lock (_gate)
            {
                return _order is not null;
            }
        }
    }

    /// <summary>Begins to look for orders.</summary>
    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>An operator gives the order here; before anything is withdrawn, so that it is not lost if the leadership changes meanwhile.</summary>
    public void Press()
    {
        lock (_gate)
        {
            _order = new Order(Guid.NewGuid(), 0);
        }
    }

    /// <summary>This box has obeyed its own order, as leader.</summary>
    /// <param name="by">The leadership.</param>
    public void Obeyed(long by)
    {
        lock (_gate)
        {
            _order = _order is { } order ? order with { ObeyedBy = by } : null;
        }
    }

    /// <summary>Leaves the order that waits here in the database.</summary>
    /// <returns>Null: it is there, or none waits; else why not.</returns>
    public async Task<string?> TellAsync(CancellationToken cancellationToken)
    {
        Order? order;
        lock (_gate)
        {
            order = _order;
        }

        if (order is null)
        {
            return null;
        }

        try
        {
            await store.LeaveStopAsync(order.Id, cancellationToken);
            lock (_gate)
            {
                if (_order?.Id == order.Id)
                {
                    _order = null;
                }
            }

            _problem = null;
            return null;
        }
        catch (SiteDatabaseException e)
        {
            _problem = $"\"Withdraw all\" was pressed here, and no other controller knows of it yet: {e.Message}";
            return e.Message;
        }
    }

    /// <summary>Whether an order waits, here or in the database, as this box comes to lead. It must be obeyed, and <see cref="Noted"/> called.</summary>
    /// <returns>The orders in the database; null: none waits anywhere.</returns>
    /// <exception cref="SiteDatabaseException">It is not known.</exception>
    public async Task<IReadOnlyList<SiteStop>?> ReadAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<SiteStop> stops = await store.ReadStopsAsync(cancellationToken);
        lock (_gate)
        {
            return stops.Count > 0 || _order is not null ? stops : null;
        }
    }

    /// <summary>Everything was withdrawn by this box as leader, so that these orders, and one given here, are obeyed.</summary>
    /// <param name="stops">The orders.</param>
    /// <param name="by">The leadership.</param>
    public void Noted(IReadOnlyList<SiteStop> stops, long by)
    {
        ArgumentNullException.ThrowIfNull(stops);
        lock (_gate)
        {
            if (_obeying != by)
            {
                _obeying = by;
                _obeyed.Clear();
            }

            foreach (SiteStop stop in stops)
            {
                _obeyed.TryAdd(stop.Id, false);
                LeadershipLog.Stopped(logger, stop.Box);
            }
        }

        Obeyed(by);
    }

    /// <summary>The orders that a state of this leadership obeys. To be asked for when the state that is to be saved is chosen.</summary>
    public IReadOnlyList<Guid> Mark(long by)
    {
        lock (_gate)
        {
            IEnumerable<Guid> own = _order is { } order && order.ObeyedBy == by ? [order.Id] : [];
            return [.. own, .. _obeying == by ? _obeyed.Where(o => !o.Value).Select(o => o.Key) : []];
        }
    }

    /// <summary>A state that obeys these was saved: they are over.</summary>
    /// <exception cref="SiteDatabaseException">They may still be there, and are taken away after the next state.</exception>
    public async Task SavedAsync(IReadOnlyList<Guid> mark, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(mark);
        if (mark.Count == 0)
        {
            return;
        }

        await store.DropStopsAsync(mark, cancellationToken);
        lock (_gate)
        {
            foreach (Guid id in mark.Where(_obeyed.ContainsKey))
            {
                _obeyed[id] = true;
            }

            if (_order is { } order && mark.Contains(order.Id))
            {
                _order = null;
            }
        }
    }

    /// <summary>One look: as leader for orders that wait, else to hand on one that was given here. Done every <see cref="Interval"/> once started.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            long by = token();
            if (by == 0)
            {
                await TellAsync(cancellationToken);
                return;
            }

            _problem = null;
            IReadOnlyList<SiteStop> stops = await store.ReadStopsAsync(cancellationToken);
            bool due;
            lock (_gate)
            {
                foreach (Guid gone in _obeyed.Where(o => o.Value && stops.All(s => s.Id != o.Key)).Select(o => o.Key).ToArray())
                {
                    _obeyed.Remove(gone);
                }

                // One that was obeyed and is there again: the box that left it had no answer at first. It is taken away again.
                foreach (SiteStop again in stops.Where(s => _obeyed.ContainsKey(s.Id)))
                {
                    _obeyed[again.Id] = false;
                }

                stops = _obeying == by ? [.. stops.Where(s => !_obeyed.ContainsKey(s.Id))] : stops;
                due = stops.Count > 0 || (_order is { } order && order.ObeyedBy != by);
            }

            if (due && withdraw())
            {
                Noted(stops, by);
            }
        }
        catch (SiteDatabaseException)
        {
            // Told elsewhere; the lease ends if it lasts.
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        using PeriodicTimer timer = new(Interval, time);
        while (await timer.WaitForNextTickAsync(_stop.Token))
        {
            try
            {
                await LookAsync(_stop.Token);
            }
            catch (Exception e) when (!_stop.IsCancellationRequested)
            {
                // A bug: the next order must be looked for all the same.
                LeadershipLog.Failed(logger, "look for orders", e);
            }
        }
    }

    /// <summary>An order that was given here.</summary>
    /// <param name="Id">Its own number.</param>
    /// <param name="ObeyedBy">The leadership of this box under which it was obeyed; 0: none. Until a state was saved it may yet be lost.</param>
    private sealed record Order(Guid Id, long ObeyedBy);
}

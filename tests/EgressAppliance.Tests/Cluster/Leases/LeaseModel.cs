namespace EgressAppliance.Tests.Cluster.Leases;

/// <summary>
/// A site in virtual time: controllers with the real core of the lease, one database, one router, and everything that may go wrong between them, by a seed. Times are microseconds.
/// </summary>
/// <remarks>
/// Checked throughout: never are routes of two controllers at the router. In the end, when all is well again: one leads, and soon.
/// </remarks>
internal sealed class LeaseModel
{
    private const long Ms = 1000;
    private readonly PriorityQueue<Action, (long Time, long Number)> _events = new();
    private readonly ModelController[] _controllers;
    private long _number;
    private string? _wrong;

    public LeaseModel(int seed, LeaseModelOptions options)
    {
        Options = options;
        Random = new Random(seed);
        int count = 2 + Random.Next(3);
        Store = new ModelStore(this);
        Router = new ModelRouter(this, count);
        _controllers = [.. Enumerable.Range(0, count).Select(i => new ModelController(this, i))];
    }

    public LeaseModelOptions Options { get; }

    public Random Random { get; }

    public ModelStore Store { get; }

    public ModelRouter Router { get; }

    public long Now { get; private set; }

    public bool Calm { get; private set; }

    /// <summary>Leaderships that began.</summary>
    public int Leaderships { get; set; }

    public void At(long time, Action action) => _events.Enqueue(action, (Math.Max(time, Now), _number++));

    public void After(long microseconds, Action action) => At(Now + microseconds, action);

    public void Wrong(string what) => _wrong ??= $"at {Now / 1000.0:F1} ms: {what}";

    /// <summary>A time, more often short than long.</summary>
    public long Some(long most) => (long)(most * Ms * Math.Pow(Random.NextDouble(), 3));

    public bool Often(double share) => Random.NextDouble() < share;

    /// <summary>Runs it.</summary>
    /// <returns>What was wrong; null: nothing.</returns>
    public string? Run()
    {
        foreach (ModelController controller in _controllers)
        {
            After(Some(2000), controller.Start);
        }

        After(Some(2000), Disturb);
        RunUntil(Options.Trouble * Ms);
        if (_wrong is not null)
        {
            return _wrong;
        }

        Calm = true;
        Store.FrozenUntil = 0;
        foreach (ModelController controller in _controllers)
        {
            controller.Heal();
        }

        // Until it leads: the leftovers of the trouble (a request that the server has still to carry out), the watch, a few periods; and where all that are ready have given the lease back not long ago,
        // the time for which they stand back.
        long limit = (long)(Options.Term * (1 + (2.5 * Options.Drift))) + Options.HoldTime + Options.SendTimeout + Options.Margin + 5000;
        if (_controllers.Any(c => c.Resigned > Now - (2L * Options.Term * Ms * 102 / 100)))
        {
            limit += 2L * Options.Term * 102 / 100;
        }

        RunUntil(Now + (limit * Ms));
        if (_wrong is null && !_controllers.Any(c => c.Leads && Router.HasRoutes(c.Index)))
        {
            Wrong($"{limit} ms after all was well none leads");
        }

        return _wrong;
    }

    private void RunUntil(long end)
    {
        while (_wrong is null && _events.TryPeek(out _, out (long Time, long Number) next) && next.Time <= end)
        {
            Action action = _events.Dequeue();
            Now = next.Time;
            action();
        }

        Now = end;
    }

    private void Disturb()
    {
        if (Calm)
        {
            return;
        }

        // Mostly the one that leads.
        ModelController one = Array.Find(_controllers, c => c.Leads) is { } leader && Often(0.6) ? leader : _controllers[Random.Next(_controllers.Length)];
        switch (Often(0.4) ? Cause() : Random.Next(13))
        {
            case 0 or 1 or 2:
                one.Stop(Some(30_000));
                break;
            case 3:
                one.Kill();
                break;
            case 4:
                one.CutFromRouter(Some(12_000));
                break;
            case 5:
                one.CutFromStore(Some(20_000));
                break;
            case 6:
                long time = Some(20_000);
                one.CutFromRouter(time);
                one.CutFromStore(time);
                break;
            case 7:
                Store.FrozenUntil = Now + Some(15_000);
                break;
            case 8:
                Store.Offset += Random.Next(-60_000, 60_000);
                break;
            case 9 or 10:
                one.SetReady(Random.Next(2) == 0);
                break;
            case 11:
                one.Resign(withdrawn: Random.Next(2) == 0);
                break;
            case 12 when Options.Flaw == LeaseFlaw.BeginsAtZero || (Options.Flaw != LeaseFlaw.IgnoresHistory && Random.Next(3) == 0):
                Store.Forget();
                break;
            default:
                Store.Fail(Some(10_000));
                break;
        }

        After(Some(5000), Disturb);
    }

    /// <summary>What a flaw shows by is more frequent where it is looked for.</summary>
    private int Cause() => Options.Flaw switch
    {
        LeaseFlaw.CountsFromReply => 0,
        LeaseFlaw.TrustsServerClock => 8,
        LeaseFlaw.OwesNothing or LeaseFlaw.IgnoresHistory => 11,
        LeaseFlaw.BeginsAtZero => 12,
        _ => Random.Next(13),
    };
}

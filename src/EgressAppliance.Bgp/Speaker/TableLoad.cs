using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>
/// Whether a table that is being received is complete. Guarded by the speaker's lock.
/// </summary>
/// <remarks>
/// A router that sends End-of-RIB for every family has said so itself. FRR sends none unless graceful restart is offered, which we never
/// do; then the table counts as complete when its growth has stopped: no new path for the quiet time, or, since a full table always moves
/// a little, new paths of less than half a percent of the table within one.
/// </remarks>
internal sealed class TableLoad(TimeProvider time, TimeSpan quietTime)
{
    private const int SettledShare = 200;
    private readonly HashSet<IpFamily> _ended = [];
    private readonly HashSet<IpFamily> _seen = [];
    private IReadOnlyList<IpFamily>? _expected;
    private long _start;
    private long _windowStart;
    private long _lastAdded;
    private int _addedInWindow;
    private int _total;
    private bool _running;
    private bool _complete;

    /// <summary>The table begins to come, from nothing.</summary>
    /// <param name="expected">Families that will come, or null if that shows only by what comes: then those that have come must have ended, one at least.</param>
    public void Start(IReadOnlyList<IpFamily>? expected)
    {
        _expected = expected;
        _ended.Clear();
        _seen.Clear();
        _running = true;
        _complete = false;
        _total = 0;
        _addedInWindow = 0;
        _start = time.GetTimestamp();
        _windowStart = _start;
        _lastAdded = _start;
    }

    /// <summary>The table is gone.</summary>
    public void Stop() => _running = _complete = false;

    /// <summary>A route of this family came.</summary>
    public void Saw(IpFamily family) => _seen.Add(family);

    /// <summary>Paths came that were not there before; <paramref name="total"/> is what there is now.</summary>
    public void Grew(int paths, int total)
    {
        if (!_complete)
        {
            _ = IsComplete();
            _total = total;
            _addedInWindow += paths;
            _lastAdded = time.GetTimestamp();
        }
    }

    /// <summary>End-of-RIB came.</summary>
    public void EndOfRib(IpFamily family) => _ended.Add(family);

    /// <summary>True from the moment the initial table is there until <see cref="Stop"/>.</summary>
    public bool IsComplete()
    {
        if (!_running || _complete)
        {
            return _complete;
        }

        if (AllEnded())
        {
            _complete = true;
            return true;
        }

        long now = time.GetTimestamp();
        if (_total == 0 || time.GetElapsedTime(_windowStart, now) < quietTime)
        {
            return false;
        }

        _complete = time.GetElapsedTime(_lastAdded, now) >= quietTime || _addedInWindow < _total / SettledShare;
        _windowStart = now;
        _addedInWindow = 0;
        return _complete;
    }

    /// <summary>Complete, or nothing came for the quiet time: the router may have nothing to say, which it cannot say without End-of-RIB.</summary>
    public bool IsSettled() => IsComplete() || (_running && _total == 0 && time.GetElapsedTime(_start) >= quietTime);

    private bool AllEnded()
    {
        if (_expected is null && _ended.Count == 0)
        {
            return false;
        }

        foreach (IpFamily family in _expected ?? (IEnumerable<IpFamily>)_seen)
        {
            if (!_ended.Contains(family))
            {
                return false;
            }
        }

        return true;
    }
}

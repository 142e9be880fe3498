using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Steering;

/// <summary>
/// The latest published state and the means to wait for the next. A writer publishes immutable states; any number of readers wait, and a
/// reader that is slower than the writer gets the newest one, so nothing queues up.
/// </summary>
public sealed class StateFeed
{
    private readonly Lock _gate = new();
    private TaskCompletionSource<StateEventDto> _next = NewSource();
    private StateEventDto _current;

    /// <summary>Starts with the state before the first cycle.</summary>
    public StateFeed(StateEventDto first) => _current = first;

    /// <summary>The latest state.</summary>
    public StateEventDto Current
    {
        get
        {
            lock (_gate)
            {
                return _current;
            }
        }
    }

    /// <summary>Replaces the state and wakes the readers.</summary>
    public void Publish(StateEventDto state)
    {
        TaskCompletionSource<StateEventDto> waiting;
        lock (_gate)
        {
            _current = state;
            waiting = _next;
            _next = NewSource();
        }

        waiting.SetResult(state);
    }

    /// <summary>The current state if it is not <paramref name="seen"/>, else the next one.</summary>
    public Task<StateEventDto> NextAsync(StateEventDto? seen, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return ReferenceEquals(seen, _current) ? _next.Task.WaitAsync(cancellationToken) : Task.FromResult(_current);
        }
    }

    private static TaskCompletionSource<StateEventDto> NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

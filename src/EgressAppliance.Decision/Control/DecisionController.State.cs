namespace EgressAppliance.Decision.Control;

// What a journal needs so that each of its files can be replayed alone: the state between two calls, out and in.
public sealed partial class DecisionController
{
    /// <summary>All that is remembered from one call to the next, as it is now.</summary>
    public ControllerState ExportState() => new()
    {
        Id = _id,
        Mode = Mode,
        Verdict = _verdict,
        BadSince = _badSince,
        FeedSeen = _feedSeen,
        Healthy = _healthy,
        Problems = _problems,
        Links = _links,
        Overrides = _ledger.Entries,
        Quarantined = _quarantine.Entries,
        LinkHistories = _history.Entries,
        LinkTrusts = _trust.Entries,
        Flaps = _flaps.Entries,
        Misprojection = _misprojection.State,
        Cost = _cost.State,
        Pending = [.. _pending],
    };

    /// <summary>A controller that goes on where another one was.</summary>
    /// <param name="options">What governs it: the other one's options, for the same outcomes.</param>
    /// <param name="state">As the other one exported it.</param>
    public static DecisionController FromState(ControllerOptions options, ControllerState state)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(state);
        DecisionController controller = new(options, state.Mode, cost: state.Cost)
        {
            _id = state.Id,
            _verdict = state.Verdict,
            _badSince = state.BadSince,
            _feedSeen = state.FeedSeen,
            _healthy = state.Healthy,
            _problems = state.Problems,
            _links = state.Links,
        };
        controller._ledger.Restore(state.Overrides);
        controller._quarantine.Restore(state.Quarantined);
        controller._history.Restore(state.LinkHistories);
        controller._trust.Restore(state.LinkTrusts);
        controller._flaps.Restore(state.Flaps);
        controller._misprojection.Restore(state.Misprojection);
        controller._pending.AddRange(state.Pending);
        controller.Publish();
        return controller;
    }
}

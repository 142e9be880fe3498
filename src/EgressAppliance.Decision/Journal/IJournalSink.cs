using EgressAppliance.Decision.Control;

namespace EgressAppliance.Decision.Journal;

/// <summary>
/// Takes calls as they are made. Called from within the control loop: no member throws, waits or does more than pass on what it is given.
/// One caller at a time.
/// </summary>
public interface IJournalSink
{
    /// <summary>The state is wanted before the next call: a file is to begin.</summary>
    bool WantsState { get; }

    /// <summary>Begins a file.</summary>
    /// <param name="options">The controller's options.</param>
    /// <param name="state">The controller before the next call.</param>
    void Start(ControllerOptions options, ControllerState state);

    /// <summary>Adds a call that was made.</summary>
    void Add(JournalCall call, JournalReturn returned);
}

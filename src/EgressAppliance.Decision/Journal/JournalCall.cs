using EgressAppliance.Decision.Control;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Journal;

/// <summary>
/// One call of the controller with its arguments. Recording and replaying both make the call through <see cref="Invoke"/>, so that they cannot
/// come to differ in how they make it.
/// </summary>
public abstract record JournalCall
{
    private protected JournalCall()
    {
    }

    /// <summary>The call's name in a journal.</summary>
    public abstract string Name { get; }

    /// <summary>How much of it there is to hold and to write: 1, and 1 for each prefix of a cycle.</summary>
    public virtual int Weight => 1;

    /// <summary>Makes the call.</summary>
    /// <returns>What the controller answered; an exception of the controller passes.</returns>
    public abstract JournalReturn Invoke(DecisionController controller);
}

/// <summary><see cref="DecisionController.Cycle"/></summary>
/// <param name="Input">The inputs.</param>
public sealed record CycleCall(CycleInput Input) : JournalCall
{
    /// <inheritdoc/>
    public override string Name => "cycle";

    /// <inheritdoc/>
    public override int Weight => 1 + Input.Prefixes.Count;

    /// <inheritdoc/>
    public override JournalReturn Invoke(DecisionController controller)
    {
        ArgumentNullException.ThrowIfNull(controller);
        return new JournalReturn { Outcome = controller.Cycle(Input) };
    }
}

/// <summary><see cref="DecisionController.SetMode"/></summary>
/// <param name="Mode">The new mode.</param>
/// <param name="Now">When.</param>
public sealed record SetModeCall(DecisionMode Mode, DateTimeOffset Now) : JournalCall
{
    /// <inheritdoc/>
    public override string Name => "set_mode";

    /// <inheritdoc/>
    public override JournalReturn Invoke(DecisionController controller)
    {
        ArgumentNullException.ThrowIfNull(controller);
        return new JournalReturn { Outcome = controller.SetMode(Mode, Now) };
    }
}

/// <summary><see cref="DecisionController.WithdrawAll"/></summary>
/// <param name="Now">When.</param>
public sealed record WithdrawAllCall(DateTimeOffset Now) : JournalCall
{
    /// <inheritdoc/>
    public override string Name => "withdraw_all";

    /// <inheritdoc/>
    public override JournalReturn Invoke(DecisionController controller)
    {
        ArgumentNullException.ThrowIfNull(controller);
        return new JournalReturn { Outcome = controller.WithdrawAll(Now) };
    }
}

/// <summary><see cref="DecisionController.TakeOver"/></summary>
/// <param name="Now">When.</param>
public sealed record TakeOverCall(DateTimeOffset Now) : JournalCall
{
    /// <inheritdoc/>
    public override string Name => "take_over";

    /// <inheritdoc/>
    public override JournalReturn Invoke(DecisionController controller)
    {
        ArgumentNullException.ThrowIfNull(controller);
        return new JournalReturn { Outcome = controller.TakeOver(Now) };
    }
}

/// <summary><see cref="DecisionController.AddOverride"/></summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Link">The link to send it by.</param>
/// <param name="Paths">Links that have a path for it.</param>
/// <param name="Now">When.</param>
/// <param name="RateBps">Its rate, bit/s.</param>
public sealed record AddOverrideCall(IpPrefix Prefix, string Link, IReadOnlyList<string> Paths, DateTimeOffset Now, long RateBps) : JournalCall
{
    /// <inheritdoc/>
    public override string Name => "add_override";

    /// <inheritdoc/>
    public override JournalReturn Invoke(DecisionController controller)
    {
        ArgumentNullException.ThrowIfNull(controller);
        (OperatorResult result, CycleOutcome outcome) = controller.AddOverride(Prefix, Link, Paths, Now, RateBps);
        return new JournalReturn { Outcome = outcome, Result = result };
    }
}

/// <summary><see cref="DecisionController.ReleaseOverride"/></summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Now">When.</param>
public sealed record ReleaseOverrideCall(IpPrefix Prefix, DateTimeOffset Now) : JournalCall
{
    /// <inheritdoc/>
    public override string Name => "release_override";

    /// <inheritdoc/>
    public override JournalReturn Invoke(DecisionController controller)
    {
        ArgumentNullException.ThrowIfNull(controller);
        (OperatorResult result, CycleOutcome outcome) = controller.ReleaseOverride(Prefix, Now);
        return new JournalReturn { Outcome = outcome, Result = result };
    }
}

/// <summary><see cref="DecisionController.Announced"/></summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Ok">The router was given the route.</param>
/// <param name="Now">When.</param>
public sealed record AnnouncedCall(IpPrefix Prefix, bool Ok, DateTimeOffset Now) : JournalCall
{
    /// <inheritdoc/>
    public override string Name => "announced";

    /// <inheritdoc/>
    public override JournalReturn Invoke(DecisionController controller)
    {
        ArgumentNullException.ThrowIfNull(controller);
        return new JournalReturn { Known = controller.Announced(Prefix, Ok, Now) };
    }
}

/// <summary><see cref="DecisionController.Lost"/></summary>
/// <param name="Prefix">The prefix.</param>
public sealed record LostCall(IpPrefix Prefix) : JournalCall
{
    /// <inheritdoc/>
    public override string Name => "lost";

    /// <inheritdoc/>
    public override JournalReturn Invoke(DecisionController controller)
    {
        ArgumentNullException.ThrowIfNull(controller);
        return new JournalReturn { Known = controller.Lost(Prefix) };
    }
}

using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Planner;

namespace EgressAppliance.Host.Steering;

/// <summary>
/// Whether this box decides. A box alone always does; a collector never; of the controllers of a site one at a time. The loop asks before it carries anything out, and is told of
/// changes by <see cref="SteeringLoop.Lead"/> and <see cref="SteeringLoop.StandBy"/>.
/// </summary>
public interface ILeadership
{
    /// <summary>What the loop shows while it does not decide; null: it decides from the start on.</summary>
    Verdict? Idle { get; }

    /// <summary>Whether routes may be announced now. Any thread; answers at once, by a clock that nobody sets.</summary>
    bool MayAnnounce { get; }

    /// <summary>Who decides, in words, for those who ask the wrong box.</summary>
    string Leader { get; }

    /// <summary>Called after each cycle and command of a loop that decides, with what another box needs to go on. Does not wait.</summary>
    /// <param name="outcome">What came of it.</param>
    /// <param name="state">The controller.</param>
    /// <param name="offset">How far the time of day is ahead of its clock.</param>
    void Decided(CycleOutcome outcome, ControllerState state, TimeSpan offset);

    /// <summary>Called after each cycle, leading or not, and when a session ends: whether this box could decide well. Any thread.</summary>
    /// <param name="problem">What keeps it from that; null: nothing.</param>
    /// <param name="peers">The sessions with the routers.</param>
    void Report(string? problem, IReadOnlyList<PeerStatus> peers);

    /// <summary>An operator's order that everything be withdrawn, whoever decides. What this box announces goes first, whatever else fails.</summary>
    /// <param name="withdraw">Withdraws everything of this box: how many overrides, and whether it decided.</param>
    /// <param name="cancellationToken">Ends telling others, not withdrawing.</param>
    Task<StopNotice> StopAsync(Func<(int Count, bool Decided)> withdraw, CancellationToken cancellationToken);
}

/// <summary>A box alone.</summary>
public sealed class SoleLeadership : ILeadership
{
    private SoleLeadership()
    {
    }

    /// <summary>The one there is.</summary>
    public static SoleLeadership Instance { get; } = new();

    /// <inheritdoc/>
    public Verdict? Idle => null;

    /// <inheritdoc/>
    public bool MayAnnounce => true;

    /// <inheritdoc/>
    public string Leader => "this box";

    /// <inheritdoc/>
    public void Decided(CycleOutcome outcome, ControllerState state, TimeSpan offset)
    {
    }

    /// <inheritdoc/>
    public void Report(string? problem, IReadOnlyList<PeerStatus> peers)
    {
    }

    /// <inheritdoc/>
    public Task<StopNotice> StopAsync(Func<(int Count, bool Decided)> withdraw, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(withdraw);
        return Task.FromResult(new StopNotice(withdraw().Count, StopReach.Here));
    }
}

/// <summary>A collector, which leaves deciding to the controllers.</summary>
public sealed class NoLeadership : ILeadership
{
    private NoLeadership()
    {
    }

    /// <summary>The one there is.</summary>
    public static NoLeadership Instance { get; } = new();

    /// <inheritdoc/>
    public Verdict? Idle => Verdict.Collecting;

    /// <inheritdoc/>
    public bool MayAnnounce => false;

    /// <inheritdoc/>
    public string Leader => "the controllers of the site";

    /// <inheritdoc/>
    public void Decided(CycleOutcome outcome, ControllerState state, TimeSpan offset)
    {
    }

    /// <inheritdoc/>
    public void Report(string? problem, IReadOnlyList<PeerStatus> peers)
    {
    }

    /// <inheritdoc/>
    public Task<StopNotice> StopAsync(Func<(int Count, bool Decided)> withdraw, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(withdraw);
        return Task.FromResult(new StopNotice(withdraw().Count, StopReach.Nowhere, $"This box only counts: do it at one of {Leader}."));
    }
}

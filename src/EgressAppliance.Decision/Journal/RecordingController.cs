using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Cost;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Journal;

/// <summary>
/// A controller whose every call goes into a journal with its arguments and its answer. It answers as the controller does; a call that throws is
/// recorded as such before the exception passes, since that is the call one wants to see again.
/// </summary>
/// <param name="controller">The controller, which nobody else calls.</param>
/// <param name="sink">The journal, or null for none.</param>
public sealed class RecordingController(DecisionController controller, IJournalSink? sink)
{
    /// <inheritdoc cref="DecisionController.Mode"/>
    public DecisionMode Mode => controller.Mode;

    /// <inheritdoc cref="DecisionController.Options"/>
    public ControllerOptions Options => controller.Options;

    /// <inheritdoc cref="DecisionController.Overrides"/>
    public IReadOnlyList<OverrideEntry> Overrides => controller.Overrides;

    /// <inheritdoc cref="DecisionController.Billing"/>
    public IReadOnlyList<BillingStatus> Billing => controller.Billing;

    /// <inheritdoc cref="DecisionController.ExportCost"/>
    public CostModeState ExportCost() => controller.ExportCost();

    /// <inheritdoc cref="DecisionController.Cycle"/>
    public CycleOutcome Cycle(CycleInput input) => Record(new CycleCall(input)).Outcome!;

    /// <inheritdoc cref="DecisionController.Announced"/>
    public bool Announced(IpPrefix prefix, bool ok, DateTimeOffset now) => Record(new AnnouncedCall(prefix, ok, now)).Known!.Value;

    /// <inheritdoc cref="DecisionController.Lost"/>
    public bool Lost(IpPrefix prefix) => Record(new LostCall(prefix)).Known!.Value;

    /// <inheritdoc cref="DecisionController.SetMode"/>
    public CycleOutcome SetMode(DecisionMode newMode, DateTimeOffset now) => Record(new SetModeCall(newMode, now)).Outcome!;

    /// <inheritdoc cref="DecisionController.WithdrawAll"/>
    public CycleOutcome WithdrawAll(DateTimeOffset now) => Record(new WithdrawAllCall(now)).Outcome!;

    /// <inheritdoc cref="DecisionController.TakeOver"/>
    public CycleOutcome TakeOver(DateTimeOffset now) => Record(new TakeOverCall(now)).Outcome!;

    /// <inheritdoc cref="DecisionController.ExportState"/>
    public ControllerState ExportState() => controller.ExportState();

    /// <inheritdoc cref="DecisionController.AddOverride"/>
    public (OperatorResult Result, CycleOutcome Outcome) AddOverride(
        IpPrefix prefix, string link, IReadOnlyList<string> paths, DateTimeOffset now, long rateBps = 0)
    {
        JournalReturn returned = Record(new AddOverrideCall(prefix, link, paths, now, rateBps));
        return (returned.Result!.Value, returned.Outcome!);
    }

    /// <inheritdoc cref="DecisionController.ReleaseOverride"/>
    public (OperatorResult Result, CycleOutcome Outcome) ReleaseOverride(IpPrefix prefix, DateTimeOffset now)
    {
        JournalReturn returned = Record(new ReleaseOverrideCall(prefix, now));
        return (returned.Result!.Value, returned.Outcome!);
    }

    /// <inheritdoc cref="DecisionController.TimersOf"/>
    /// <remarks>Not recorded: it changes nothing.</remarks>
    public PrefixTimers TimersOf(IpPrefix prefix, DateTimeOffset now) => controller.TimersOf(prefix, now);

    private JournalReturn Record(JournalCall call)
    {
        if (sink is null)
        {
            return call.Invoke(controller);
        }

        if (sink.WantsState)
        {
            sink.Start(controller.Options, controller.ExportState());
        }

        JournalReturn returned;
        try
        {
            returned = call.Invoke(controller);
        }
        catch (Exception e)
        {
            sink.Add(call, new JournalReturn { Threw = e.GetType().FullName });
            throw;
        }

        sink.Add(call, returned);
        return returned;
    }
}

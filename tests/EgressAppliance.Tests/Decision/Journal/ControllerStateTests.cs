using System.Reflection;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Journal;

namespace EgressAppliance.Tests.Decision.Journal;

/// <summary>Holds state and recorder to the controller as it grows.</summary>
public class ControllerStateTests
{
    /// <summary>The controller's fields and the member of its state that holds each; the published list repeats the ledger, and the planner is code.</summary>
    private static readonly Dictionary<string, string?> Members = new()
    {
        ["_id"] = nameof(ControllerState.Id),
        ["Mode"] = nameof(ControllerState.Mode),
        ["_verdict"] = nameof(ControllerState.Verdict),
        ["_badSince"] = nameof(ControllerState.BadSince),
        ["_feedSeen"] = nameof(ControllerState.FeedSeen),
        ["_healthy"] = nameof(ControllerState.Healthy),
        ["_problems"] = nameof(ControllerState.Problems),
        ["_links"] = nameof(ControllerState.Links),
        ["_ledger"] = nameof(ControllerState.Overrides),
        ["_quarantine"] = nameof(ControllerState.Quarantined),
        ["_pending"] = nameof(ControllerState.Pending),
        ["_history"] = nameof(ControllerState.LinkHistories),
        ["_trust"] = nameof(ControllerState.LinkTrusts),
        ["_flaps"] = nameof(ControllerState.Flaps),
        ["_misprojection"] = nameof(ControllerState.Misprojection),
        ["_cost"] = nameof(ControllerState.Cost),
        ["_published"] = null,
        ["_planner"] = null,
    };

    [Fact]
    public void ExportState_has_a_member_for_every_field_of_the_controller()
    {
        // A field that is missing here was added to the controller: a journal must hold it, or no file but the first of a run replays.
        string[] fields = [.. typeof(DecisionController).GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)
            .Select(f => f.Name)
            .Where(n => !n.StartsWith("<options>", StringComparison.Ordinal))
            .Select(n => n.StartsWith('<') ? n[1..n.IndexOf('>', StringComparison.Ordinal)] : n)];
        Assert.Equal(Members.Keys.Order(), fields.Order());
        Assert.Equal(
            Members.Values.OfType<string>().Order(),
            typeof(ControllerState).GetProperties(BindingFlags.Instance | BindingFlags.Public).Select(p => p.Name).Order());
    }

    [Fact]
    public void RecordingController_has_every_call_of_the_controller()
    {
        Assert.Equal(Signatures(typeof(DecisionController)), Signatures(typeof(RecordingController)));

        static IEnumerable<string> Signatures(Type type) =>
            type.GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly).Select(m => m.ToString()!).Order(StringComparer.Ordinal);
    }

    [Fact]
    public void FromState_of_a_fresh_controller_exports_the_same()
    {
        ControllerState state = new DecisionController(new(), DecisionMode.Inject).ExportState();
        Assert.Equal(DecisionMode.Inject, state.Mode);
        Assert.Equivalent(state, DecisionController.FromState(new(), state).ExportState(), strict: true);
        Assert.Equivalent(new ControllerState { Mode = DecisionMode.Inject }, state, strict: true);
    }

    [Fact]
    public void ExportState_is_a_copy()
    {
        DecisionController controller = new(new(), DecisionMode.Inject);
        controller.Cycle(new CycleInput { Now = Lab.Start, Links = [Lab.Link("a", 1000, 900), Lab.Link("b")], Prefixes = [Lab.Demand(1, 100, "a", "b")] });
        ControllerState state = controller.ExportState();
        controller.Announced(Lab.Prefix(1), ok: false, Lab.Start);
        Assert.Single(state.Overrides);
        Assert.Empty(state.Quarantined);
        Assert.Single(controller.ExportState().Quarantined);
        Assert.Empty(controller.ExportState().Overrides);
    }
}

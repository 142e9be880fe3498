using EgressAppliance.Fuzz.Running;

namespace EgressAppliance.Fuzz.Targets;

/// <summary>All targets. A new one is registered here and nowhere else: the command, the unit tests and replays take them from this list.</summary>
public static class FuzzTargets
{
    /// <summary>The targets in the order of their turns.</summary>
    public static IReadOnlyList<IFuzzTarget> All { get; } =
    [
        new FramerTarget(),
        new OpenTarget(),
        new UpdateTarget(),
        new AttributesTarget(),
        new AsPathTarget(),
        new NotificationTarget(),
        new RefreshTarget(),
        new JsonTarget(),
        new MrtTarget(),
        new MrtRecordsTarget(),
        new BmpTarget(),
        new SessionTarget(),
        new SnmpTarget(),
        new DeltaTarget(),
    ];

    /// <summary>The target of a name, or null.</summary>
    public static IFuzzTarget? Find(string name) => All.FirstOrDefault(t => t.Name == name);
}

using System.Reflection;
using EgressAppliance.Host.Http;

namespace EgressAppliance.HistoryLoad;

/// <summary>Stands where the endpoint wants an appliance: only the history is asked, which needs none.</summary>
public class NoAppliance : DispatchProxy
{
    /// <summary>Makes one.</summary>
    public static IApplianceApi Create() => Create<IApplianceApi, NoAppliance>();

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => throw new NotSupportedException(targetMethod?.Name);
}

using System.IO.Pipelines;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Host.Steering;

namespace EgressAppliance.Host.Http;

/// <summary>How a request that changes something ended.</summary>
public enum OperationStatus
{
    /// <summary>Done.</summary>
    Done,

    /// <summary>The request names something that does not exist (prefix, link, mode).</summary>
    NotFound,

    /// <summary>The request is well-formed and cannot be carried out now; the detail says why.</summary>
    Refused,
}

/// <summary>Outcome of a request that changes something.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Detail">Why, in words; empty when done.</param>
public readonly record struct OperationResult(OperationStatus Status, string Detail = "")
{
    /// <summary>Done.</summary>
    public static OperationResult Done => new(OperationStatus.Done);
}

/// <summary>
/// What the HTTP endpoint needs of the appliance. Reads give the state as of the last cycle and are safe from any thread.
/// </summary>
public interface IApplianceApi
{
    /// <summary>The latest state, as sent to the page once a cycle.</summary>
    StateEventDto State { get; }

    /// <summary>Completes when a state newer than <paramref name="seen"/> is there.</summary>
    Task<StateEventDto> NextStateAsync(StateEventDto? seen, CancellationToken cancellationToken);

    /// <summary>The largest prefixes by rate.</summary>
    PrefixPage GetPrefixes(PrefixQuery query);

    /// <summary>The links that the largest prefixes go by and could go by.</summary>
    MatrixDto GetMatrix(int top);

    /// <summary>The latest decisions, newest first; those before the decision of an id, if one is given.</summary>
    IReadOnlyList<DecisionDto> GetDecisions(int limit, long? before = null);

    /// <summary>The configuration in force.</summary>
    ConfigDto Config { get; }

    /// <summary>Why a prefix, or the prefix of an address, goes where it goes; null if the text is neither.</summary>
    ExplainDto? Explain(string query);

    /// <summary>All paths of a prefix, or of the longest match of an address, in the router's order; null if the text is neither.</summary>
    RibDto? GetRib(string query);

    /// <summary>Writes the routers' tables as MRT, in steps and at the reader's pace. False, with nothing written, while another request does.</summary>
    Task<bool> WriteRibAsync(PipeWriter output, CancellationToken cancellationToken);

    /// <summary>The billing months, and what cost mode makes of them.</summary>
    CostDto GetCost();

    /// <summary>The boxes of the site, as far as this one knows of them.</summary>
    ClusterDto GetCluster();

    /// <summary>The names of the configured links.</summary>
    IReadOnlyList<string> LinkNames { get; }

    /// <summary>Changes the mode.</summary>
    Task<OperationResult> SetModeAsync(string mode, CancellationToken cancellationToken);

    /// <summary>Makes an operator's override.</summary>
    OperationResult AddOverride(string prefix, string link);

    /// <summary>Withdraws one override, whoever made it.</summary>
    OperationResult ReleaseOverride(string prefix);

    /// <summary>Withdraws every override in one step and goes to observe, or tells the box that decides.</summary>
    Task<StopNotice> StopAsync(CancellationToken cancellationToken);

    /// <summary>Asks a router to send all its routes anew (ROUTE-REFRESH).</summary>
    OperationResult RefreshRoutes(string router);

    /// <summary>Writes the metrics of everything that the appliance counts.</summary>
    void WriteMetrics(MetricWriter writer);

    /// <summary>How the history is written; null where there is none.</summary>
    HistoryStatus? HistoryStatus => null;

    /// <summary>Null when the appliance sees traffic and holds its routers' tables; else what is missing.</summary>
    string? NotReady { get; }
}

namespace EgressAppliance.Host.Http.Access;

/// <summary>What a caller of the HTTP endpoint may do.</summary>
public enum AccessScope
{
    /// <summary>Nothing but the page's files, <c>/healthz</c> and the description of the API.</summary>
    None,

    /// <summary>Look at everything, change nothing.</summary>
    Read,

    /// <summary>Everything.</summary>
    Operate,
}

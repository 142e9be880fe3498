namespace EgressAppliance.Host.Interfaces;

/// <summary>ifOperStatus (RFC 2863); the numbers are those of the MIB.</summary>
public enum OperStatus
{
    /// <summary>Ready to pass packets.</summary>
    Up = 1,

    /// <summary>Down.</summary>
    Down = 2,

    /// <summary>In some test mode.</summary>
    Testing = 3,

    /// <summary>Not known: to the router, or to us because there is no recent answer.</summary>
    Unknown = 4,

    /// <summary>Waits for some external event.</summary>
    Dormant = 5,

    /// <summary>A component is missing.</summary>
    NotPresent = 6,

    /// <summary>Down because an interface below it is.</summary>
    LowerLayerDown = 7,
}

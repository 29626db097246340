//! Microsoft Graph: which keys are registered.
